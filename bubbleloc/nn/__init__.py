"""Networks and layers: pure torch, no Lightning, no Hydra."""

from bubbleloc.nn.ckcnn import CKCNN, LocalCKCNN
from bubbleloc.nn.ckconv import CKConv1d, LocalCKConv1d
from bubbleloc.nn.dilated_cnn import DilatedCKCNN, DilatedCNN
from bubbleloc.nn.fftconv import FFTConv1d, fft_conv1d
from bubbleloc.nn.irregular import irregular_conv1d
from bubbleloc.nn.models import build_model
from bubbleloc.nn.multirate import MultirateCKCNN
from bubbleloc.nn.network import Localizer
from bubbleloc.nn.released import load_released, released_card
from bubbleloc.nn.residual import ResidualCKCNN
from bubbleloc.nn.sequence import CKCNNClassifier, TCNClassifier
from bubbleloc.nn.siren import SIREN
from bubbleloc.nn.tcn import TCN

__all__ = [
    "CKCNN",
    "SIREN",
    "TCN",
    "CKCNNClassifier",
    "CKConv1d",
    "DilatedCKCNN",
    "DilatedCNN",
    "FFTConv1d",
    "LocalCKCNN",
    "LocalCKConv1d",
    "Localizer",
    "MultirateCKCNN",
    "ResidualCKCNN",
    "TCNClassifier",
    "build_model",
    "fft_conv1d",
    "irregular_conv1d",
    "load_released",
    "released_card",
]
