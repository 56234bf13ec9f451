"""Networks and layers: pure torch, no Lightning, no Hydra."""

from bubbleloc.nn.ckconv import SIREN, CKConv1d, Kernels, irregular_conv1d
from bubbleloc.nn.fftconv import FFTConv1d, fft_conv1d
from bubbleloc.nn.localizer import NETWORKS, Localizer, build_model, network
from bubbleloc.nn.multirate import MultirateCKCNN
from bubbleloc.nn.networks import CKCNN, TCN, DilatedCKCNN, DilatedCNN, ResidualCKCNN
from bubbleloc.nn.released import load_released, released_card

__all__ = [
    "CKCNN",
    "NETWORKS",
    "SIREN",
    "TCN",
    "CKConv1d",
    "DilatedCKCNN",
    "DilatedCNN",
    "FFTConv1d",
    "Kernels",
    "Localizer",
    "MultirateCKCNN",
    "ResidualCKCNN",
    "build_model",
    "fft_conv1d",
    "irregular_conv1d",
    "load_released",
    "network",
    "released_card",
]
