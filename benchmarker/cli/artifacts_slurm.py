"""``benchmarker artifacts slurm``: a job script that classifies a list, alone or as an array."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarker.cli.artifact_options import add_choices, add_images, chosen_words
from benchmarker.cli.run_options import checked
from benchmarker.networks.entries import whole

NAME = "slurm"
HELP = "write a SLURM job script that classifies a list of images"
EXAMPLES = """example:
  benchmarker artifacts slurm list.csv -m results/runs/RUN -o job.sh --array 10 --fail-on rfi
  sbatch job.sh

the options of 'artifacts classify' go into the script
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add_images(parser)
    add = parser.add_argument
    add("-o", "--output", type=Path, required=True, metavar="FILE", help="script to write")
    add("--results", type=Path, metavar="DIR", help="of the job (default: FILE-results)")
    add = parser.add_argument_group("job").add_argument
    add("--account", metavar="NAME", help="that pays for the job (default: a line to fill in)")
    add("--partition", metavar="NAME", help="default: a line to fill in")
    add("--time", default="01:00:00", metavar="LIMIT", help="default: 01:00:00")
    add("--cpus", type=checked(whole(1)), default=4, metavar="N", help="default: 4")
    add("--memory", default="8G", metavar="SIZE", help="default: 8G")
    add("--gpus", type=checked(whole(0)), default=0, metavar="N", help="default: 0")
    add("--array", type=checked(whole(1)), default=1, metavar="N", help="jobs that share the list")
    add("--job-name", default="artifacts", metavar="NAME", help="default: artifacts")
    add_choices(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check what the job will need, write the script, say how it is started."""
    from benchmarker.core.files import write_text
    from benchmarker.hosts.radiance.slurm import Job, check_inputs, script

    check_inputs(arguments.images, arguments.network)
    output = arguments.output
    job = Job(
        images=tuple(arguments.images),
        network=arguments.network,
        results=arguments.results or output.with_name(f"{output.stem}-results"),
        words=tuple(chosen_words(arguments)),
        name=arguments.job_name,
        account=arguments.account,
        partition=arguments.partition,
        time=arguments.time,
        cpus=arguments.cpus,
        memory=arguments.memory,
        gpus=arguments.gpus,
        array=arguments.array,
    )
    write_text(output, script(job))
    output.chmod(output.stat().st_mode | 0o111)
    print(f"{output}: start it with 'sbatch {output}'; results will be in {job.results}")
    return 0
