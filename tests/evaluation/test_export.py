"""A network exported as safetensors, opened by those who have the two files and nothing else."""

import json

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from bubbleloc.errors import InputError
from bubbleloc.evaluate import evaluate_run
from bubbleloc.evaluation.export import export_run, facts_of
from bubbleloc.models.card import read_card
from bubbleloc.models.runs import open_run
from bubbleloc.nn import build_model
from tests.test_nothing_stale import Facts, _no_pictures, make_run  # noqa: F401 (a fixture)


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path):
    run = make_run(tmp_path, Facts())
    (run / "report").write_text("a file where a folder is wanted")
    with pytest.raises(InputError, match=r"report.html: .* is no folder that you may write to"):
        evaluate_run(run)
    (tmp_path / "net.pt2").mkdir()
    with pytest.raises(InputError, match=r"net.pt2: it is a folder; choose another name"):
        export_run(open_run(run), tmp_path / "net.pt2")


def test_safetensors_and_card_rebuild_the_network(tmp_path):
    run = make_run(tmp_path, Facts(rate_hz=50e6))
    evaluate_run(run, baselines=[])
    weights, card = tmp_path / "net.safetensors", tmp_path / "net.yaml"
    export_run(open_run(run), weights)
    told = yaml.safe_load(card.read_text())
    network = build_model(**told["model"])
    network.load_state_dict(load_file(weights))
    network.eval()
    trained = open_run(run)
    rf = torch.from_numpy(np.random.default_rng(0).normal(0, 1, (2, 1, 700)).astype(np.float32))
    with torch.no_grad():
        expected = trained.network(rf)
        assert expected.std() > 0
        assert torch.equal(network(rf), expected)
    read = read_card(card, "best", weights)
    assert (read.scale, read.noise) == (trained.card.scale, trained.card.noise)
    assert read.thresholds == trained.card.thresholds
    assert read.thresholds
    f1 = told["f1_test"][4]["mean"]
    summary = np.genfromtxt(run / "report/f1_test.csv", delimiter=",", names=True)
    assert f1 == pytest.approx(summary["f1"][summary["tolerance"] == 4].mean(), abs=6e-4)


def test_an_exported_file_tells_what_its_user_must_know(tmp_path):
    pytest.importorskip("onnxscript", reason="pip install 'bubbleloc[onnx]'")
    run = open_run(make_run(tmp_path, Facts(rate_hz=50e6)))
    export_run(run, tmp_path / "net.onnx")
    onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'bubbleloc[onnx]'")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    facts = session.get_modelmeta().custom_metadata_map
    assert (facts["network"], facts["sampling_rate_hz"]) == ("run", "50000000.0")
    assert facts["speed_of_sound_m_s"] == "1480.0"
    assert json.loads(facts["thresholds"]) == {str(k): v for k, v in run.card.thresholds.items()}
    shortest = int(facts["shortest_samples"])
    session.run(None, {"rf": np.ones((1, 1, shortest), np.float32)})
    export_run(run, tmp_path / "net.pt2")
    extra = {"facts.json": ""}
    torch.export.load(tmp_path / "net.pt2", extra_files=extra)
    assert json.loads(extra["facts.json"]) == facts
    small = facts_of(open_run("small"))
    calibration = json.loads(small["calibration"])
    assert tuple(calibration.values()) == open_run("small").card.calibration
    assert "logarithm of their radius in µm" in small["emitters"]
