"""What one sample is worth, and the values that are refused."""

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.physics import Scale, Setup


def test_published_sample() -> None:
    scale = Setup().scale
    assert scale == Scale(62.5e6, 1480.0, 1.7e6)
    assert scale.um_per_sample == pytest.approx(11.84)
    assert scale.wavelengths_per_sample == pytest.approx(11.84e-6 / (1480 / 1.7e6))
    assert scale.time_us([62.5]) == pytest.approx([1.0])
    assert scale.depth_mm([8446]) == pytest.approx([100.0], abs=0.01)


def test_tolerances_are_samples_or_micrometres() -> None:
    fine, coarse = Scale(62.5e6, 1480.0, None), Scale(40e6, 1540.0, None)
    assert [fine.tolerance_samples(given) for given in (4, "47um", "24.5µm", "0um")] == [4, 4, 2, 0]
    assert coarse.tolerance_samples("47um") == 2


def test_wavelengths_are_nan_where_the_frequency_is_unknown() -> None:
    assert np.isnan(Scale(62.5e6, 1480.0, None).wavelengths_per_sample)


@pytest.mark.parametrize(
    "change",
    [
        {"sampling_rate_hz": 62.5},
        {"sampling_rate_hz": 0},
        {"sampling_rate_hz": -1.0},
        {"sampling_rate_hz": np.nan},
        {"speed_of_sound_m_s": 1.54},
        {"speed_of_sound_m_s": -1480.0},
        {"speed_of_sound_m_s": np.inf},
        {"frequency_hz": 1.7},
        {"frequency_hz": np.nan},
    ],
)
def test_values_in_another_unit_are_refused(change: dict[str, float]) -> None:
    published = {"sampling_rate_hz": 62.5e6, "speed_of_sound_m_s": 1480.0, "frequency_hz": 1.7e6}
    with pytest.raises(InputError, match=rf"{next(iter(change))}=.*: give the"):
        Scale(**{**published, **change})
