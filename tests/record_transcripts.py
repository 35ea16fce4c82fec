"""Makes the SDK's half of the transcripts in tests/histories again, from the installed SDK.

Every recorded context, of orchestrators and of entity batches, is given to the real SDK, and what
it answers is compared with what stands in the file. What the host adds (contexts, appended events)
stays.

    python tests/record_transcripts.py           says which answers differ; exit code 1 if any does
    python tests/record_transcripts.py --write   puts the new answers into the files
"""

import argparse
import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

HISTORIES = Path(__file__).parent / "histories"
CLOCK_READINGS = {"duration": "<milliseconds>", "startTime": "<epoch milliseconds>"}
"""Of an entity's results: other at each run, so the files hold what they are."""


def main(arguments, folder=HISTORIES):
    """Compare or write; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write the new answers")
    options = parser.parse_args(arguments)
    differing = []
    for path in sorted([*folder.glob("*.json"), *folder.glob("entities/*.json")]):
        recorded = json.loads(path.read_text(encoding="utf-8"))
        made, names = record(recorded)
        differing += [f"{path.relative_to(folder)}: {name}" for name in names]
        if options.write and names:
            path.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    done = "written" if options.write else "differs"
    for line in differing:
        print(f"{done}: {line}")
    print(f"azure-functions-durable {version('azure-functions-durable')}: {len(differing)} differ")
    return 1 if differing and not options.write else 0


def record(recorded):
    """The transcript with the SDK's answers of now, and which of them are new."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if "episodes" not in recorded:
            made = {**recorded, "returned": ask_entity(recorded)}
            return made, ["batch"] if made["returned"] != recorded["returned"] else []
        episodes = [
            {**_without_answer(episode), **ask_orchestrator(recorded, episode["context"])}
            for episode in recorded["episodes"]
        ]
    pairs = enumerate(zip(recorded["episodes"], episodes, strict=True))
    names = [f"episode {number}" for number, (old, new) in pairs if old != new]
    return {**recorded, "episodes": [_in_order(one) for one in episodes]}, names


def ask_orchestrator(recorded, context):
    """The state, or the text of the exception that carries it."""
    import azure.durable_functions as df

    names = {}
    exec(recorded["preamble"] + recorded["source"], names)
    handle = df.Orchestrator.create(names[recorded["orchestrator"]])
    try:
        return {"returned": json.loads(handle(json.dumps(context)))}
    except Exception as error:  # noqa: BLE001 - the SDK raises a bare one
        return {"returned": None, "raised": str(error)}


def ask_entity(recorded):
    """The batch's answer without clock readings."""
    import azure.durable_functions as df

    names = {}
    exec(recorded["source"], names)
    answer = json.loads(df.Entity.create(names["Counter"])(json.dumps(recorded["context"])))
    for result in answer["results"]:
        result |= CLOCK_READINGS
    return answer


def _without_answer(episode):
    return {name: value for name, value in episode.items() if name not in ("returned", "raised")}


def _in_order(episode):
    """The context, the answer, then what the host made of it."""
    first = ("context", "returned", "raised")
    head = {name: episode[name] for name in first if name in episode}
    return head | episode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
