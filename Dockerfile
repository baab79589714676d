# Written with care and untried: no Docker engine was at hand. Build and run from the repository's root:
#   docker build -t emvae . && docker run --rm -p 8888:8888 emvae
# torch comes as its CPU build (0.2 GB); with CUDA it would be 2.7 GB to download.
FROM python:3.11-slim

# git: nothing here needs it, but a clone in a container is of little use without. make: for the two commands.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home student
USER student
WORKDIR /home/student/emvae
COPY --chown=student . .

# Not `make`'s .venv: the container is the environment. As there, the locked versions.
ENV PATH=/home/student/.local/bin:$PATH PIP_CONSTRAINT=constraints.txt PIP_NO_CACHE_DIR=1
RUN pip install uv \
    && uv venv /home/student/env \
    && VIRTUAL_ENV=/home/student/env uv pip install --torch-backend=cpu --constraint constraints.txt --editable '.[dev]' \
    && rm -rf /home/student/.cache
ENV PATH=/home/student/env/bin:$PATH

EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "book"]
