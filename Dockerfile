# TensorFlow 1.15 with what it needs, pinned: `docker build --tag tf1-lstm .`
# What to build and how to run it is in docs/container.md. Targets:
#
#   runtime  (default) CUDA 10.0 and cuDNN 7; runs without a GPU as well
#   cpu      the same on a small Python image, for machines that will never have a GPU
#   test     runtime, and what the tests need

# TensorFlow's own image, because NVIDIA's nvidia/cuda:10.0-* are gone from Docker Hub
# ("manifest unknown") and this one still holds CUDA 10.0 and cuDNN 7. Its Python 3.6 and its
# TensorFlow 1.15.5 are left alone.
ARG BASE_IMAGE=tensorflow/tensorflow:1.15.5-gpu-py3
# The last Python 3.7 there will be. How to renew digests: docs/container.md.
ARG CPU_IMAGE=python:3.7.17-slim-bookworm@sha256:b53f496ca43e5af6994f8e316cf03af31050bf7944e0e4a308ad86c001cf028b


# Where packages come from when it is built without a network: `--build-context archive=FOLDER` takes this
# stage's place, and pip then installs from FOLDER/wheels (docs/archive.md).
FROM scratch AS archive
COPY LICENSE /


# What both images take from here: code and samples. Data and checkpoints are mounted.
FROM scratch AS project
COPY pyproject.toml requirements.txt README.md LICENSE /
COPY requirements/runtime.in /requirements/runtime.in
COPY data /data
COPY checkpoints /checkpoints
COPY tf1_lstm /tf1_lstm


# The fast engine's C, compiled on what it will run on: a library needs the C library it was built with, or a newer
# one. The compiler stays in this stage. From an archive, on a base without gcc, the image has no fast engine.
FROM ${CPU_IMAGE} AS cpu-engine
# hadolint ignore=DL3008 # the compiler changes no bit: docs/fast-engine.md
RUN --mount=type=bind,from=archive,target=/archive \
    command -v gcc || { \
        apt-get update \
        && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gcc libc6-dev; \
    } || [ -d /archive/wheels ]
COPY tf1_lstm/graphs/engine /engine
RUN python3.7 /engine/build.py --strict


FROM ${CPU_IMAGE} AS cpu
# The locked packages come before the code: they change less often, and take minutes.
COPY requirements/pip.txt requirements.txt /opt/locks/
RUN --mount=type=bind,from=archive,target=/archive \
    if [ -d /archive/wheels ]; then export PIP_NO_INDEX=1 PIP_FIND_LINKS=/archive/wheels; fi \
    && python3.7 -m venv /opt/venv \
    && for lock in pip.txt requirements.txt; do \
        /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation \
            --require-hashes -r "/opt/locks/${lock}" || exit 1; \
    done \
    && rm -rf /tmp/*

COPY --from=project / /opt/tf1-lstm/
COPY --from=cpu-engine /engine/ /opt/tf1-lstm/tf1_lstm/graphs/engine/
ARG UID=1000
ARG GID=1000
# All of it is root's, and nobody else may write to it. Three folders are open to every user id.
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation --editable /opt/tf1-lstm \
    && /opt/venv/bin/python -m compileall -q /opt/tf1-lstm/tf1_lstm \
    && groupadd --non-unique --gid "${GID}" tf1 \
    && useradd --no-log-init --non-unique --uid "${UID}" --gid tf1 --no-create-home --home-dir /tmp tf1 \
    && install -d -m 1777 /work/data /work/checkpoints /work/runs

ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    LANG=C.UTF-8 \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONNOUSERSITE=1
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tf1-lstm" \
      org.opencontainers.image.description="Old TensorFlow 1 LSTM results, run again exactly (CPU)" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /work
VOLUME ["/work/data", "/work/checkpoints", "/work/runs"]
USER ${UID}:${GID}
ENTRYPOINT ["tf1-lstm"]
CMD ["doctor"]


# What is kept beside the wheels: once saved (`--target base`), it is BASE_IMAGE, and nothing is asked of a network.
FROM ${BASE_IMAGE} AS base
ARG PYTHON=python3.7
# NVIDIA changed its signing key in 2022; since then its old lists make `apt-get update` fail.
# hadolint ignore=DL3008 # a closed distribution, and another one with another BASE_IMAGE
RUN rm -f /etc/apt/sources.list.d/cuda.list /etc/apt/sources.list.d/nvidia-ml.list \
    && if ! "${PYTHON}" -c 'import distutils.cmd, ensurepip' 2>/dev/null; then \
        apt-get update \
        && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
            "${PYTHON}" "${PYTHON}-venv" python3-distutils || exit 1; \
    fi \
    && rm -rf /var/lib/apt/lists/*


# As the stage cpu-engine.
FROM base AS gpu-engine
ARG PYTHON=python3.7
# hadolint ignore=DL3008 # as above
RUN --mount=type=bind,from=archive,target=/archive \
    command -v gcc || { \
        apt-get update \
        && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gcc libc6-dev; \
    } || [ -d /archive/wheels ]
COPY tf1_lstm/graphs/engine /engine
RUN "${PYTHON}" /engine/build.py --strict


FROM base AS gpu
# These three differ for NVIDIA's own TensorFlow 1.15 only: see docs/container.md.
ARG PYTHON=python3.7
ARG VENV_OPTIONS=
ARG LOCK=requirements.txt
# An environment of its own, so that the base's packages do not leak in.
COPY requirements/pip.txt requirements.txt requirements/nvidia.txt /opt/locks/
RUN --mount=type=bind,from=archive,target=/archive \
    if [ -d /archive/wheels ]; then export PIP_NO_INDEX=1 PIP_FIND_LINKS=/archive/wheels; fi \
    && "${PYTHON}" -m venv ${VENV_OPTIONS} /opt/venv \
    && for lock in pip.txt "${LOCK}"; do \
        /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation \
            --require-hashes -r "/opt/locks/${lock}" || exit 1; \
    done \
    && rm -rf /tmp/*

COPY --from=project / /opt/tf1-lstm/
COPY --from=gpu-engine /engine/ /opt/tf1-lstm/tf1_lstm/graphs/engine/
ARG UID=1000
ARG GID=1000
# The package asks for Python 3.7, because stock TensorFlow 1.15 does; NVIDIA's runs on 3.8.
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation --ignore-requires-python \
        --editable /opt/tf1-lstm \
    && /opt/venv/bin/python -m compileall -q /opt/tf1-lstm/tf1_lstm \
    && groupadd --non-unique --gid "${GID}" tf1 \
    && useradd --no-log-init --non-unique --uid "${UID}" --gid tf1 --no-create-home --home-dir /tmp tf1 \
    && install -d -m 1777 /work/data /work/checkpoints /work/runs

ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    LANG=C.UTF-8 \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONNOUSERSITE=1
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tf1-lstm" \
      org.opencontainers.image.description="Old TensorFlow 1 LSTM results, run again exactly (CUDA 10.0)" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /work
VOLUME ["/work/data", "/work/checkpoints", "/work/runs"]
USER ${UID}:${GID}
ENTRYPOINT ["tf1-lstm"]
CMD ["doctor"]


FROM gpu AS test
# hadolint ignore=DL3002 # not the stage that `docker build .` makes, and it does not end as root
USER 0:0
COPY requirements/dev.txt /opt/locks/
RUN --mount=type=bind,from=archive,target=/archive \
    if [ -d /archive/wheels ]; then export PIP_NO_INDEX=1 PIP_FIND_LINKS=/archive/wheels; fi \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation \
        --require-hashes -r /opt/locks/dev.txt
COPY . /opt/tf1-lstm/
ENV HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis
ARG UID=1000
ARG GID=1000
USER ${UID}:${GID}
WORKDIR /opt/tf1-lstm
ENTRYPOINT ["python", "-m", "pytest", "-p", "no:cacheprovider"]
CMD []


# The last stage is what `docker build .` makes.
FROM gpu AS runtime
