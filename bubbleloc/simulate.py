"""``python -m bubbleloc.simulate data=demo`` writes ``data/demo/{train,val,test}.h5``."""

from bubbleloc.console.cli import Settings, command


@command
def main(settings: Settings) -> None:
    """Simulate what is missing of a dataset, or draw what its settings mean."""
    from bubbleloc.data.generate import ensure_dataset, plan_of

    shortcuts = {name: settings[name] for name in ("seed", "bubbles")}
    plan = plan_of({**settings["data"], **shortcuts}).only(settings["splits"])
    if settings["preview"]:
        from bubbleloc.report.preview import preview

        print(f"preview: {preview(plan)}")
        return
    ensure_dataset(plan, settings["workers"], settings["executor"], settings["address"])
    print(f"dataset: {plan.folder}")


if __name__ == "__main__":
    main()
