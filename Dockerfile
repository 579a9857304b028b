# syntax=docker/dockerfile:1
# One image per service: docker build --build-arg SERVICE=gateway --build-arg PORT=8000 .
FROM python:3.11-slim-bookworm AS build
ARG SERVICE
WORKDIR /app
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_CACHE_DIR=/var/cache/pip
COPY pyproject.toml constraints.txt README.md ./
# Dependencies before the code, so that their layer stays until a pin changes. The classifier
# also gets what the simulator needs, to write the corpus of its first model.
RUN --mount=type=cache,target=/var/cache/pip \
    mkdir services shared && touch services/__init__.py shared/__init__.py \
    && python -m venv /venv \
    && extras="$SERVICE" && if [ "$SERVICE" = classifier ]; then extras="classifier,simulator"; fi \
    && /venv/bin/pip install -c constraints.txt ".[$extras]" \
    && /venv/bin/pip uninstall -y deskstream
COPY shared shared
COPY services services
# Training compiles the kernels: a container of the same kind of CPU starts ten seconds sooner.
ENV OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_CACHE_DIR=/numba
RUN mkdir /models /numba && if [ "$SERVICE" = classifier ]; then \
        /venv/bin/python -m services.simulator --to-csv /tmp/corpus.csv --tickets 20000 --seed 7 \
        && /venv/bin/python -m services.classifier train --data /tmp/corpus.csv \
            --text text --label topic --priority priority --models /models \
        && rm /tmp/corpus.csv; \
    fi \
    && /venv/bin/python -m compileall -q shared services

FROM python:3.11-slim-bookworm
ARG SERVICE
ARG PORT=8000
LABEL org.opencontainers.image.title="Deskstream $SERVICE" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --create-home deskstream
COPY --from=build /venv /venv
COPY --from=build --chown=10001:10001 /models /models
COPY --from=build --chown=10001:10001 /numba /numba
COPY --from=build /app/shared /app/shared
COPY --from=build /app/services /app/services
WORKDIR /app
# In a container the network is the border, not the loopback device.
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    NUMBA_CACHE_DIR=/numba \
    SERVICE=$SERVICE \
    HEALTH_PORT=$PORT \
    INGEST_HOST=0.0.0.0 \
    CLASSIFIER_HOST=0.0.0.0 \
    SEMANTIC_HOST=0.0.0.0 \
    FORECASTER_HOST=0.0.0.0 \
    GATEWAY_HOST=0.0.0.0 \
    CLASSIFIER_MODELS=/models \
    FORECASTER_QUEUES_FILE=/app/services/simulator/helpdesk.json \
    GATEWAY_QUEUES_FILE=/app/services/simulator/helpdesk.json
USER 10001
EXPOSE $PORT
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['HEALTH_PORT']}/health\", timeout=4)"]
# exec: the service is process 1 and gets the SIGTERM of `docker stop`.
CMD ["sh", "-c", "exec python -m services.$SERVICE"]
