# `make` lists the targets.

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/ready

ifdef SMOKE_TEST
  DATA := dataset/smoke_data
  RUN_NAME := smoke_image_grouping
  SMOKE := --smoke-test
else
  DATA := dataset/sample_data
  RUN_NAME := image_grouping
endif

PHOTOS := $(DATA)/vist_dataset/facts.json
ALEXNET_FEATURES := $(DATA)/models/alexnet/alexnet_image_test_features.hdf5
STORIES := $(DATA)/image_embeddings_to_sentence/stories_to_index_test.hdf5
TRAINED := $(DATA)/trained
GENERATED := $(DATA)/generated
SHARED := $(DATA)/shared
# The stamp of a training holds the path of the run folder, whose name ends with its start time.
NEWEST_RUN = ls -d results/$(RUN_NAME)_[0-9]* | tail -n 1
RUN = "$$(cat $(TRAINED))"
MODEL_TO_SHARE = $(RUN)/$(RUN_NAME).zip

.PHONY: help setup story vist study test bench clean-story style
.DELETE_ON_ERROR:

help:
	@echo "make setup        environment in $(VENV): pinned packages, this project"
	@echo "make story        photos -> features -> stories -> training -> story strips,"
	@echo "                  on the embedded sample set; finished steps are skipped"
	@echo "make story SMOKE_TEST=1   the same, tiny, in under 2 minutes"
	@echo "make vist         the same on the real VIST with the paper's three models: downloads,"
	@echo "                  says how long all will take, and takes days; it can be interrupted"
	@echo "make vist FEATURES=arel   the same with AREL's features instead of the photos"
	@echo "make vist PLAN=1          only the annotations and how long the rest will take"
	@echo "make study        what each part of the system is worth: some fifty trainings on the"
	@echo "                  sample set, hours; it can be interrupted; SMOKE_TEST=1 takes minutes"
	@echo "make test         all tests"
	@echo "make bench        speed and memory of training and generation; on a machine without"
	@echo "                  a GPU also of several workers, checkpoints, extraction, the reader"
	@echo "make style        formatting and lint"
	@echo "make clean-story  remove the sample set and all files made from it, to start afresh;"
	@echo "                  the runs in results/ stay"

setup: $(READY)

$(READY): requirements.txt pyproject.toml
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "A python3 of 3.11 or newer is needed." >&2; exit 2; }
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

story: $(SHARED)
	@test -d $(RUN)/strips || { echo "The run is missing from results/; run make clean-story, then make story." >&2; exit 2; }
	@echo "The stories are generated:"
	@echo "  strips              " $(RUN)/strips
	@echo "  loss curves         " $(RUN)/loss.png
	@echo "  page to browse      " $(RUN)/stories.html
	@echo "  all stories         " $(RUN)/hypotheses_story_greedy_test.txt
	@echo "  the model to share  " $(MODEL_TO_SHARE)

$(PHOTOS): | $(READY)
	$(PYTHON) -m dataset.sample --data $(DATA) $(SMOKE)
	@touch $@

$(ALEXNET_FEATURES): $(PHOTOS) | $(READY)
	$(PYTHON) -m dataset.models.alexnet --data $(DATA)
	@touch $@

$(STORIES): $(ALEXNET_FEATURES) | $(READY)
	$(PYTHON) -m data_reader --data $(DATA)

$(TRAINED): $(STORIES) | $(READY)
	$(PYTHON) -m training $(SMOKE)
	@$(NEWEST_RUN) > $@

$(GENERATED): $(TRAINED) | $(READY)
	$(PYTHON) -m generation --run $(RUN)
	$(PYTHON) -m generation.fact_recall --run $(RUN)
	$(PYTHON) -m training.report
	@touch $@

$(SHARED): $(GENERATED) | $(READY)
	@rm -f $(MODEL_TO_SHARE)
	$(PYTHON) -m models.share $(RUN) $(MODEL_TO_SHARE)
	@touch $@

vist: $(READY)
	$(PYTHON) -m training.vist --features $(or $(FEATURES),photos) $(if $(PLAN),--plan)

study: $(STORIES) | $(READY)
	$(PYTHON) -m training.study --jobs 2 $(SMOKE)

test: $(READY)
	$(PYTHON) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# The GPU serves training and generation alone; the other benchmarks are the processor's.
bench: $(READY)
	$(PYTHON) -m training.benchmark
	$(PYTHON) -m generation.benchmark
ifeq ($(wildcard /dev/nvidia[0-9]*),)
	$(PYTHON) -m training.workers_benchmark
	$(PYTHON) -m training.checkpoint_benchmark
	$(PYTHON) -m dataset.benchmark
	$(PYTHON) -m data_reader.benchmark
endif

style: $(READY)
	$(VENV)/bin/ruff format
	$(VENV)/bin/ruff check

clean-story:
	rm -rf dataset/sample_data dataset/smoke_data
