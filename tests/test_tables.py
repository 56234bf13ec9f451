import numpy as np
import pandas as pd

from bubbleloc.tables import to_markdown, with_intervals, write_csv, write_table


def test_tables_come_as_csv_markdown_and_latex(tmp_path):
    frame = pd.DataFrame({"run": ["k_131"], "mean": [0.87654321], "p": [1.2345e-9], "n": [960]})
    write_table(frame, tmp_path, "summary", "F1 per run")
    assert "0.87654321" in (tmp_path / "summary.csv").read_text()
    assert "| k_131 | 0.877  | 1.2e-09 | 960 |" in (tmp_path / "summary.md").read_text()
    latex = (tmp_path / "summary.tex").read_text()
    assert r"k\_131 & 0.877 & 1.2e-09 & 960" in latex
    assert r"\caption{F1 per run}" in latex
    assert {path.name for path in tmp_path.iterdir()} == {
        f"summary.{e}" for e in ("csv", "md", "tex")
    }


def test_csv_bytes_repeat(tmp_path):
    frame = pd.DataFrame({"f1": [1 / 3, np.nan], "tolerance": [0, 1]})
    first = write_csv(frame, tmp_path / "a.csv").read_bytes()
    assert (
        first
        == write_csv(frame, tmp_path / "b.csv").read_bytes()
        == b"f1,tolerance\n0.33333333,0\n,1\n"
    )
    assert "–" in to_markdown(frame)


def test_intervals_join_their_value():
    frame = pd.DataFrame({"run": ["a"], "mean": [0.5], "mean_low": [0.4], "mean_high": [0.61234]})
    joined = with_intervals(frame)
    assert list(joined.columns) == ["run", "mean [95 %]"]
    assert joined.loc[0, "mean [95 %]"] == "0.500 [0.400, 0.612]"


def test_a_name_is_no_formula_and_no_html(tmp_path):
    names = ["=HYPERLINK(1)", "+a", "-a", "@a", "\ta", "<img onerror=a>", "k=65", "-1.5", "", None]
    frame = pd.DataFrame({"run": names, "f1": np.linspace(-0.5, 0.5, len(names))})
    write_table(frame, tmp_path, "a", "<b>names</b>")
    read = pd.read_csv(tmp_path / "a.csv", dtype={"run": str}, keep_default_na=False)
    assert read["run"].tolist() == [
        *("'=HYPERLINK(1)", "'+a", "'-a", "'@a", "'\ta", "<img onerror=a>", "k=65", "-1.5", "", "")
    ]
    np.testing.assert_allclose(read["f1"], frame["f1"], rtol=1e-7)
    assert "<" not in (tmp_path / "a.md").read_text()
    assert frame["run"].tolist()[:-1] == names[:-1]
