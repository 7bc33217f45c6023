"""How many photos should a sentence see?  The proposed model on the sample set, k = 1 to 5.

    python -m training.experiments.group_size --jobs 2

Also three photos backwards; three seeds each.
"""

from dataclasses import replace

from training.experiments.image_grouping import EXPERIMENT as BASELINE
from training.sweeps import Sweep, run_sweep

REVERSED = replace(BASELINE, name="group_size_3_reversed").with_model_settings(reverse=True)

GRID = Sweep.grid("group_size", BASELINE, {"image_group_size": range(1, 6)}, seeds=(1, 2, 3))
SWEEP = replace(GRID, experiments={**GRID.experiments, "3, reversed": REVERSED}, reference="3")

if __name__ == "__main__":
    run_sweep(SWEEP)
