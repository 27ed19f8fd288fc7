"""The demonstration's folder: what is written, what is kept, and that it says what it does."""

from __future__ import annotations

from pathlib import Path

from regulars import demo
from regulars.settings import load

EXAMPLE = Path(__file__).parents[2] / "examples" / "cdnow.toml"


def test_the_folder_holds_settings_that_load_and_data_that_they_name(tmp_path: Path):
    settings = load(demo.prepare(tmp_path / "new"), {})
    assert settings.sources.transactions is not None
    assert Path(settings.sources.transactions.uri).is_file()
    assert Path(settings.store.path) == tmp_path / "new" / ".regulars"


def test_the_demonstration_asks_the_same_as_the_example(tmp_path: Path):
    shown = load(demo.prepare(tmp_path), {})
    example = load(EXAMPLE, {"REGULARS_DATA": str(tmp_path)})
    apart = {"store", "tracking"}
    assert shown.model_dump(exclude=apart) == example.model_dump(exclude=apart)


def test_settings_that_were_changed_stay(tmp_path: Path):
    file = demo.prepare(tmp_path)
    file.write_text(file.read_text().replace("horizon_days = 90", "horizon_days = 60"))
    assert load(demo.prepare(tmp_path), {}).churn.horizon_days == 60
