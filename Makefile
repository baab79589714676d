# Two commands do all: `make book` and `make test`. `make` alone lists the rest.
# Written for GNU make 3.81 (macOS) and a POSIX sh.

PORT   ?= 8000
SUBMISSIONS ?=
SHARE  ?=
BOOK   ?=
N      ?= 60
SINCE  ?=
ONLY   ?=
WORKERS ?= logical
NB     ?= $(wildcard book/*.ipynb book/further/*.ipynb)
PY     := .venv/bin/python
STAMP  := .venv/.complete
HTML   := _build/html
BUILT  := _build/.complete
TRUSTED = $(if $(filter 1,$(TRUST)),--trust)
PRINT  := _build/from-em-to-the-vae
# Side by side: a worker for each core (four at the most; WORKERS=3 for another number) takes one test file or notebook
# after the other, with one thread: threads of torch's own wait for one another where the cores are taken. They start in
# the order given, so the largest notebooks, which take longest, come first, and the many short tests fill what is left.
PARALLEL  = OMP_NUM_THREADS=1 $(PY) -m pytest --numprocesses=$(WORKERS) --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
NOTEBOOKS = $$(ls -S $(NB))
OPEN    = Open $(CURDIR)/$(HTML)/index.html in a browser (or: make serve)

# Nothing of the caller's settings reaches what is built: same result on every machine.
unexport PYTHONPATH PYTHONHOME MPLBACKEND
export PYTHONNOUSERSITE := 1
export IPYTHONDIR       := $(CURDIR)/.venv/ipython
export MPLCONFIGDIR     := $(CURDIR)/.venv/matplotlib

# The stamp holds the folder it was made in. A folder that was moved, or a Python that was removed, is made anew.
ENV_OK := $(shell test "`cat $(STAMP) 2>/dev/null`" = "$(CURDIR)" && $(PY) -c 'print("yes")' 2>/dev/null)
ifneq ($(ENV_OK),yes)
$(STAMP): FORCE
endif

BOOK_SOURCES = $(shell find book emvae tools/grading _config.yml _toc.yml -type f \
	-not -path '*/.ipynb_checkpoints/*' -not -path 'book/slides/*' -not -path '*/__pycache__/*' -not -name '*.gz' | sed 's/ /\\ /g')

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help book test unit nbval browser look links serve slides pdf epub bench mutants train lint types check notebooks assignments grade figures widgets clean FORCE

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book: $(BUILT)  ## build the book, say where to open it
	@echo '$(OPEN)'

test: $(STAMP)  ## run the tests, and every notebook of the book against its stored outputs
	$(PARALLEL) --nbval --nbval-current-env $(NOTEBOOKS) tests -m 'not browser'

unit: $(STAMP)  ## run pytest on tests/ alone, without those that need a browser
	$(PARALLEL) tests -m 'not browser'

nbval: $(STAMP)  ## run the notebooks alone, strictly against their stored outputs
	$(PARALLEL) --nbval --nbval-current-env $(NOTEBOOKS)

browser: book slides  ## run the tests that read the built book in Chromium (skipped, and said so, where there is none)
	$(PY) -m pytest tests -m browser

look: book  ## take pictures of every page, light, dark and on a phone, into _build/look (needs Chromium)
	@$(PY) -m tools.look _build/look

links: book  ## ask every outside address of the book whether it is still there (needs the network)
	@$(PY) -m tools.check_links

serve: book  ## serve the built book on http://localhost:8000 (PORT=...)
	@echo 'http://localhost:$(PORT)/ (stop with Ctrl-C)'
	@$(PY) -m http.server $(PORT) --bind 127.0.0.1 --directory $(HTML)

slides: book  ## write a deck of slides for each chapter into _build/html/slides
	@$(PY) -m tools.slides

pdf: book  ## print the whole book into one PDF in _build (needs Chromium)
	@$(PY) -m tools.print $(PRINT).pdf

epub: book  ## make an EPUB of the book, formulas in MathML (needs Chromium, which typesets them)
	@$(PY) -m tools.print $(PRINT).epub

bench: $(STAMP)  ## measure speed and memory against the peers, store the tables that the book shows
	@$(PY) -m pip install --quiet --editable '.[jax]' || echo 'emvae: JAX could not be installed, its row will be absent'
	$(PY) -m tests.benchmarks

mutants: $(STAMP)  ## change emvae in N=60 places, see whether a test notices (SINCE=commit: places changed since; ONLY=em.py)
	$(PY) -m tests.mutants --count '$(N)' --since '$(SINCE)' --only '$(ONLY)'

train: $(STAMP)  ## train chapter 6's VAE for five minutes, keep it in _build; Ctrl-C and again goes on with it
	$(PY) -m tests.benchmarks.vae_quality --train _build/vae

lint: $(STAMP)  ## ruff on code and notebooks
	$(PY) -m ruff check .

types: $(STAMP)  ## mypy, strict
	$(PY) -m mypy

check: lint types test book browser  ## all that CI runs: lint, types, tests, notebooks, book, browser

notebooks: $(STAMP)  ## re-execute the notebooks in place, the only way outputs are made (NB=book/1-...ipynb for one)
	$(PY) tools/notebooks.py $(NB)

assignments: $(STAMP)  ## validate the assignments, write release/: what students get (BOOK=address of the published book)
	$(PY) -m tools.grading $(TRUSTED) --book '$(BOOK)' release

grade: $(STAMP)  ## grade a folder of submissions (SUBMISSIONS=folder, SHARE=3/20; see book/lecturers.md)
	@test -n '$(SUBMISSIONS)' || { echo 'emvae: name the folder: make grade SUBMISSIONS=folder' >&2; exit 2; }
	@$(PY) -m tools.grading $(TRUSTED) --book '$(BOOK)' grade '$(SUBMISSIONS)' $(if $(SHARE),--share $(SHARE))

figures: $(STAMP)  ## redraw the figure of the landing page and of the README
	$(PY) tools/make_figures.py

widgets: $(STAMP)  ## export from the package what the live figures need: data and static pictures
	PYTHONPATH=book $(PY) -m tools.make_widgets

clean:  ## remove all that the other targets made
	rm -rf .venv _build dist release .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml constraints.txt
	@sh tools/environment.sh

$(BUILT): $(STAMP) $(BOOK_SOURCES)
	@sh tools/build_book.sh $(BUILT)
