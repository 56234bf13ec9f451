"""``python -m bubbleloc.simulate data=demo`` writes ``data/demo/{train,val,test}.h5``."""

from bubbleloc.cli import Settings, command


@command
def main(settings: Settings) -> None:
    """Simulate what is missing of a dataset."""
    from bubbleloc.data.generate import ensure_dataset, plan_of

    plan = plan_of({**settings["data"], "seed": settings["seed"]}).only(settings["splits"])
    ensure_dataset(plan, settings["workers"], settings["executor"], settings["address"])
    print(f"dataset: {plan.folder}")


if __name__ == "__main__":
    main()
