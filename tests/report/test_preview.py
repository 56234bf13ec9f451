"""Pictures of what settings mean: they follow the settings, and no dataset is made."""

import matplotlib as mpl
import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.physics import RFLine, Scene, Setup, bubble_response, drive_signal, simulate_rf
from bubbleloc.report import preview as module
from bubbleloc.report.preview import arrivals_figure, bubble_figure, preview, pulse_figure
from tests.conftest import planned, run

NAMES = ("pulse", "bubble", "rf_line")


def words(figure):
    figure.canvas.draw()
    return " | ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


@pytest.fixture
def titles(monkeypatch):
    """What the figures that preview draws say, in their order; saving is left out."""
    said = []
    monkeypatch.setattr(module, "save_figure", lambda figure, *_: said.append(words(figure)))
    return said


def test_the_command_draws_and_simulates_nothing(tmp_path):
    where = [f"data.folder={tmp_path / 'x'}", "data.physics.depth_m=0.03"]
    drawn = run(tmp_path, "simulate", "preview=true", "data=tiny", *where)
    assert drawn.returncode == 0, drawn.stderr
    assert drawn.stdout.strip() == f"preview: {tmp_path / 'x' / 'preview'}"
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert files == {f"x/preview/{name}.{kind}" for name in NAMES for kind in ("png", "svg")}


def test_pictures_follow_bubbles_shell_and_physics(titles, tmp_path):
    radii = tmp_path / "radii.txt"
    radii.write_text("3.2\n")
    physics = ("shell=none", "frequency_hz=2e6", "depth_m=0.04")
    physics = [f"data.physics.{setting}" for setting in physics]
    preview(planned(tmp_path, f"data.bubbles={radii}", *physics))
    pulse, bubble, line = titles
    assert "at 2 MHz" in pulse
    assert "20 mm deep" in pulse
    assert "3.2 µm, no shell, 100 kPa, 20 mm deep" in bubble
    assert "12 bubbles, no shell" in line


def test_bad_settings_are_refused(tmp_path):
    with pytest.raises(InputError, match="choose one of segers"):
        preview(planned(tmp_path, "data.physics.shell=lipid"))
    with pytest.raises(InputError, match="one receive element"):
        preview(planned(tmp_path, "data.physics.elements=8"))


def test_spectra_are_marked_at_the_fundamental_and_second_harmonic():
    setup = Setup(frequency_hz=2e6)
    figure = pulse_figure(setup, 1e5, 0.02)
    marked = [line.get_xdata()[0] for line in figure.axes[1].lines if line.get_linestyle() == ":"]
    assert marked == [2, 4]
    assert figure.axes[0].lines[0].get_ydata().max() == pytest.approx(100, rel=1e-3)
    for text in ("pressure (kPa)", "time (µs)", "frequency (MHz)", "level (dB)"):
        assert text in words(figure)


@pytest.mark.parametrize("name", ["tristate", "luc"])
def test_the_pulse_is_drawn_with_its_drive_band_and_autocorrelation(name):
    setup = Setup(waveform=name)
    figure = pulse_figure(setup, 1e5, 0.02)
    _, spectrum, drive, autocorrelation = figure.axes
    np.testing.assert_array_equal(drive.lines[0].get_ydata(), drive_signal(setup))
    assert {line.get_label() for line in spectrum.lines} >= {
        "transmit response",
        "receive response",
    }
    lag_us, height = autocorrelation.lines[0].get_data()
    assert lag_us[height.argmax()] == pytest.approx(0)
    assert height.max() == 1
    assert f"{name}: 100 kPa at" in words(figure)


def test_a_linear_bubble_is_drawn_beside():
    setup = Setup(depth_m=0.03)
    bubble = bubble_response(2e-6, 0.015, 1e5, setup)
    linear = bubble_response(2e-6, 0.015, 1e5, Setup(depth_m=0.03, bubble="linear"))
    scene = Scene(np.array([0.015]), np.zeros(1), np.array([2e-6]), 1e5)
    figure = bubble_figure("bubble", bubble, linear, simulate_rf(scene, setup), setup)
    wall, sound, _ = figure.axes
    np.testing.assert_array_equal(sound.lines[1].get_ydata(), linear.scattered_pa[0])
    np.testing.assert_allclose(wall.lines[2].get_ydata(), 1e6 * linear.radius_m[0])
    assert "echo of a linear bubble" in words(figure)


def test_a_bubble_rests_at_its_radius_and_its_spectra_peak_at_0_db():
    setup = Setup(depth_m=0.03)
    scene = Scene(np.array([0.015]), np.zeros(1), np.array([2e-6]), 5e4)
    bubble = bubble_response(2e-6, 0.015, 5e4, setup)
    figure = bubble_figure("bubble", bubble, bubble, simulate_rf(scene, setup), setup)
    wall, _, spectrum = figure.axes
    np.testing.assert_allclose(wall.lines[1].get_ydata(), 1e6 * bubble.radius_m[0])
    for line in spectrum.lines[:2]:
        assert line.get_ydata().max() == 0


@pytest.mark.parametrize("arrivals", [[700.0], [100.0, 900.0, 980.0, 1020.0], [1999.0, 5.0]])
@pytest.mark.parametrize("samples", [600, 2000])
def test_the_part_shown_begins_with_an_arrival(arrivals, samples):
    arrival = np.array(arrivals) * samples / 2000
    volts = np.sin(np.arange(samples)).astype(np.float32)
    figure = arrivals_figure("line", RFLine(volts, arrival, 62.5e6), 40, Setup())
    figure.canvas.draw()
    whole, part = figure.axes[:2]
    marks = [[line for line in axes.lines if line.get_marker() == "^"] for axes in (whole, part)]
    np.testing.assert_array_equal(marks[0][0].get_xdata(), arrival)
    assert len(marks[1][0].get_xdata())
    assert "echoes peak about 40 samples after their arrival" in words(figure)
