"""Links between frames: the right ones, across gaps as they are defined."""

import numpy as np
import pytest

from bubbleloc.tracking.links import Found, Limits, Linker, linked
from tests.tracking.paths import by_frame, links, wandering

SIGMA_MM = 1e-3


def numbered(table, limits, sigma_mm=SIGMA_MM):
    """The number that the linker gives to each row."""
    number = np.empty(len(table), dtype=int)
    frames = [
        Found(
            rows["frame"].iat[0],
            rows[["x_mm", "z_mm"]].to_numpy(),
            np.full((len(rows), 2), sigma_mm**2),
        )
        for rows in by_frame(table)
    ]
    rows = [rows.index.to_numpy() for rows in by_frame(table)]
    for (_, given), where in zip(linked(frames, Linker(limits)), rows, strict=True):
        number[where] = given
    return number


def straight(frames, step_mm=0.1):
    """One bubble in these frames."""
    return [Found(i, np.array([[step_mm * i, 40.0]]), np.full((1, 2), 1e-6)) for i in frames]


@pytest.mark.parametrize("per_mm2", [0.25, 2.0])
@pytest.mark.parametrize("sigma_mm", [SIGMA_MM, 0.02])
def test_links_of_exact_positions_are_right(per_mm2, sigma_mm):
    step_mm = 0.2  # and up to 1.7 times that
    table = wandering(int(200 * per_mm2), frames=120, step_mm=step_mm, seed=5)
    number = numbered(table, Limits(0.35, 0.15, gap=2), sigma_mm)
    frame = table["frame"].to_numpy()
    true, found = links(table["bubble"].to_numpy(), frame), links(number, frame)
    assert len(true & found) >= 0.99 * len(true)
    assert len(true & found) >= 0.99 * len(found)


def test_links_are_those_of_trackpy_where_bubbles_are_far_apart():
    trackpy = pytest.importorskip("trackpy")
    trackpy.quiet()
    table = wandering(12, frames=60, step_mm=0.03, seed=2)
    frame = table["frame"].to_numpy()
    ours = links(numbered(table, Limits(0.06, 0.15, gap=0)), frame)
    theirs = trackpy.link(table, 0.06, pos_columns=["x_mm", "z_mm"], memory=0)["particle"]
    assert ours == links(theirs.reindex(table.index).to_numpy(), frame)


@pytest.mark.parametrize("gap", [0, 1, 2, 4])
def test_a_link_bridges_as_many_missing_frames_as_the_gap(gap):
    limits = Limits(0.2, 0.15, gap)
    for missing in range(gap + 3):
        frames = straight([0, 1, 2, 3, 4 + missing, 5 + missing])
        numbers = {int(number[0]) for _, number in linked(frames, Linker(limits))}
        assert (len(numbers) == 1) == (missing <= gap), missing


def test_frames_without_positions_are_missing_frames():
    empty = Found(3, np.zeros((0, 2)), np.zeros((0, 2)))
    frames = [*straight([0, 1, 2]), empty, *straight([4])]
    numbers = [number.tolist() for _, number in linked(frames, Linker(Limits(0.2, 0.15, 1)))]
    assert numbers == [[0], [0], [0], [], [0]]


def test_nothing_is_linked_that_is_faster_than_allowed():
    frames = straight(range(6), step_mm=0.1)
    for most, numbers in ((0.12, 1), (0.09, 6)):
        linker = Linker(Limits(most, 0.15, 0))
        assert len({int(number[0]) for _, number in linked(frames, linker)}) == numbers


def test_two_bubbles_that_cross_keep_their_numbers():
    frames = []
    for i in range(-5, 6):
        crossing = np.array([[0.1 * i, 40 + 0.1 * i], [0.1 * i, 40.01 - 0.1 * i]])
        frames.append(Found(i + 5, crossing, np.full((2, 2), 1e-6)))
    numbers = [number.tolist() for _, number in linked(frames, Linker(Limits(0.3, 0.15, 0)))]
    assert numbers == [[0, 1]] * 11


def test_only_bubbles_that_may_return_are_followed():
    linker = Linker(Limits(0.2, 0.15, gap=1))
    for now, _ in linked([*straight(range(4)), *straight([9])], linker):
        assert len(linker.followed) == 1, now.frame
