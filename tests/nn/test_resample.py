import pytest
import torch
from scipy.signal import resample

from bubbleloc.nn import CKConv1d, build_model, fft_conv1d
from bubbleloc.nn.resample import resample_kernel

BAND = 0.12  # of the sampling rate: RF lines keep to 7 of 62.5 MHz


def band_limited_noise(samples, seed=0):
    generator = torch.Generator().manual_seed(seed)
    spectrum = torch.fft.rfft(torch.randn(samples, generator=generator, dtype=torch.double))
    spectrum[int(BAND * samples) :] = 0
    return torch.fft.irfft(spectrum, samples)


def centred(x, kernel):
    """Convolution with the kernel's middle at each sample, circular."""
    reach = kernel.shape[-1] // 2
    padded = torch.cat([x[-reach:], x, x[:reach]])
    return fft_conv1d(padded.view(1, 1, -1), kernel.view(1, 1, -1)).flatten()


@pytest.mark.parametrize("ratio", [2, 0.5, 1.5, 3])
@pytest.mark.parametrize("kind", ["random", "continuous"])
def test_a_resampled_kernel_filters_the_resampled_signal_alike(ratio, kind):
    torch.manual_seed(0)
    if kind == "random":
        kernel = torch.randn(61, dtype=torch.double)
    else:
        kernel = CKConv1d(1, 1, 263, window_samples=30.0).double().kernel().detach().flatten()
    x = band_limited_noise(3000)
    other = torch.from_numpy(resample(x.numpy(), round(3000 * ratio)))
    expected = resample(centred(x, kernel).numpy(), round(3000 * ratio))
    found = centred(other, resample_kernel(kernel, ratio)).numpy()
    error = ((found - expected) ** 2).sum() / (expected**2).sum()
    assert error**0.5 < 0.01


def test_nothing_passes_above_the_old_nyquist_rate():
    kernel = resample_kernel(torch.randn(61, dtype=torch.double), 4)
    spectrum = torch.fft.rfft(kernel, 8192).abs()
    above = spectrum[int(8192 / 8 * 1.2) :]
    assert above.max() < 1e-3 * spectrum.max()


def test_the_same_rate_changes_nothing():
    kernel = torch.randn(2, 3, 31)
    assert torch.equal(resample_kernel(kernel, 1), kernel)


@pytest.mark.parametrize("name", ["ckcnn", "ckcnn_local"])
def test_a_network_at_twice_the_rate_gives_the_same_output_in_time(name):
    torch.manual_seed(1)
    network = build_model(name, hidden_channels=4, kernel=65).eval()
    x = band_limited_noise(2000).float()
    fine = torch.from_numpy(resample(x.numpy(), 4000))
    faster = network.at_sampling_rate(125e6)
    with torch.no_grad():
        slow = network(x.view(1, 1, -1)).flatten()
        fast = faster(fine.view(1, 1, -1)).flatten()[::2]
    inner = slice(300, -300)  # reflection at the ends is not the same in time
    error = (fast - slow)[inner].norm() / (slow[inner] - slow[inner].mean()).norm()
    assert error < 0.1


@pytest.mark.parametrize("rate_hz", [31.25e6, 125e6])
def test_dilated_networks_keep_their_taps_in_time(rate_hz):
    network = build_model("dilated_cnn", hidden_channels=2).eval()
    other = network.at_sampling_rate(rate_hz)
    rf = torch.randn(1, 1, int(8446 * rate_hz / 62.5e6))
    assert other(rf).shape == rf.shape
    reach = network.receptive_field * rate_hz / 62.5e6
    assert reach <= other.receptive_field < reach + 200
