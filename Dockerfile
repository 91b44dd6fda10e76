# Only the base image is not tested elsewhere: every step is a make target that CI runs.
#
#   docker build -t benchmarker .                                  CPU
#   docker build -t benchmarker-gpu --build-arg GPU=1 .            NVIDIA GPU
#   docker run --rm -v "$PWD/results:/benchmarker/results" benchmarker
#   docker run --rm --gpus all benchmarker-gpu make quickstart GPU=1
ARG BASE=python:3.11-slim
FROM ${BASE}
ARG GPU=
ENV PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /benchmarker
COPY . .
RUN make install GPU=${GPU}
CMD ["make", "quickstart"]
