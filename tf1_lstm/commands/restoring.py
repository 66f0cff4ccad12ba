"""What the commands that use a checkpoint have in common: their options, and what they say of it."""

import argparse
from typing import TYPE_CHECKING, Any, Dict

from tf1_lstm.commands.options import (
    add_checkpoint_option,
    add_data_options,
    add_device_options,
    add_engine_option,
    add_setting_options,
    parse_settings,
)
from tf1_lstm.commands.printing import print_fact

if TYPE_CHECKING:
    from tf1_lstm.runs.restore import Restored


def add_restoring_options(parser: argparse.ArgumentParser, many: bool = False) -> None:
    """Add ``RECIPE``, ``--checkpoint`` (one, or as many as there are) and data, settings and device."""
    parser.add_argument("recipe", metavar="RECIPE")
    add_checkpoint_option(parser, many)
    add_data_options(parser)
    add_setting_options(parser)
    add_device_options(parser)
    add_engine_option(parser)


def restored(options: argparse.Namespace) -> "Restored":
    """Open data and checkpoint as asked for by the options of ``add_restoring_options``."""
    from tf1_lstm.runs.restore import restore

    return restore(options.recipe, options.checkpoint, **restoring_arguments(options))


def restoring_arguments(options: argparse.Namespace) -> Dict[str, Any]:
    """The keyword arguments of ``runs.restore.restore``."""
    return {
        "data": options.data,
        "sample": options.sample,
        "corrected": options.corrected,
        "settings": parse_settings(options.settings),
        "device": options.device,
        "threads": options.threads,
        "engine": options.engine,
    }


def print_facts(facts: Dict[str, Any]) -> None:
    """Say what was loaded, and how it differs from what was published."""
    from tf1_lstm.report.results import chosen, origin
    from tf1_lstm.runs.engine import engine_words

    if facts["sample"]:
        print("EMBEDDED SAMPLE: these figures say nothing about the published experiment")
    print_fact("checkpoint", f"{facts['checkpoint']} ({facts['chosen']})")
    print_fact("weights_sha256", facts["weights_sha256"])
    print_fact("engine", engine_words(facts.get("engine")))
    for name, (original, used) in chosen(facts["deviations"]).items():
        print_fact("setting", f"{name} = {used} ({origin(facts)}: {original})")
