import numpy as np

from bubbleloc.formats import recording_of_array


def test_some_lines_are_read_once_with_and_without_steps():
    rng = np.random.default_rng(0)
    lines = rng.standard_normal((3, 5, 400)).astype(np.float32)
    recording = recording_of_array("a", lines, facts={"fs": 62.5e6}).in_band(1e6, 5e6)
    read, piece = [], recording.volts._piece

    def counted(frame, elements):
        read.extend(range(5 * frame + elements.start, 5 * frame + elements.stop))
        return piece(frame, elements)

    recording.volts._piece = counted
    numbers = np.array([0, 1, 2, 4, 5, 11, 14])
    conditioned, stored = recording.volts.some(numbers)
    assert read == numbers.tolist()
    np.testing.assert_array_equal(stored, lines.reshape(15, 400)[numbers])
    for line, number in zip(conditioned, numbers, strict=True):
        np.testing.assert_array_equal(line, recording.volts.lines(number, number + 1)[0])
