import pytest
import torch

from bubbleloc.nn import CKConv1d, build_model
from bubbleloc.nn.heads import emitters


def test_eval_samples_the_kernel_once_until_a_parameter_changes(monkeypatch):
    layer = CKConv1d(2, 2, 31).eval()
    sampled = []
    kernel = layer.kernel
    monkeypatch.setattr(layer, "kernel", lambda: sampled.append(1) or kernel())
    x = torch.randn(1, 2, 400)
    with torch.inference_mode():
        first = layer(x)
        assert torch.equal(layer(x), first)
        assert torch.equal(layer(x[..., :200]), layer(x[..., :200]))
    assert len(sampled) == 1
    with torch.no_grad():
        layer.siren.output.bias.add_(0.1)
        assert not torch.allclose(layer(x), first)
    assert len(sampled) == 2
    layer(x).sum().backward()
    assert layer.bias.grad is not None


def test_export_and_onnx_give_the_same_output(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="pip install bubbleloc[onnx]")
    pytest.importorskip("onnxscript", reason="pip install bubbleloc[onnx]")
    from bubbleloc.evaluation.export import export_network

    network = build_model("ckcnn", hidden_channels=3, kernel=31).eval()
    rf = 50 * torch.randn(2, 1, 1000)
    expected = network(rf).detach()
    export_network(network, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (output,) = session.run(None, {"rf": rf.numpy()})
    torch.testing.assert_close(torch.from_numpy(output), expected, rtol=1e-3, atol=1e-3)
    (longer,) = session.run(None, {"rf": torch.randn(1, 1, 1500).numpy()})
    assert longer.shape == (1, 1, 1500)
    export_network(network, tmp_path / "model.pt2")
    program = torch.export.load(tmp_path / "model.pt2").module()
    torch.testing.assert_close(program(rf), expected, rtol=1e-3, atol=1e-3)


def test_onnx_files_tell_the_emitters_too(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="pip install bubbleloc[onnx]")
    pytest.importorskip("onnxscript", reason="pip install bubbleloc[onnx]")
    from bubbleloc.evaluation.export import export_network

    torch.manual_seed(0)
    network = build_model("ckcnn_multirate", head="emitters", hidden_channels=4).eval()
    rf = 50 * torch.randn(1, 1, 1501)
    export_network(network, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    counts, values = session.run(["bubbles", "emitters"], {"rf": rf.numpy()})
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(counts), network(rf), rtol=1e-3, atol=1e-3)
        expected = torch.stack(emitters(network.readings(network.padded(rf), 1501)), 1)
    torch.testing.assert_close(torch.from_numpy(values), expected, rtol=1e-3, atol=1e-3)
