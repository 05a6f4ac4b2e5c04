# Tuppence: `docker build -t tuppence .`
#
# It keeps an SQLite database in /data, or uses the PostgreSQL that TUPPENCE_DATABASE_URL names. Others reach it, so it
# starts only with TLS files or behind a proxy: TUPPENCE_TLS_CERTIFICATE and TUPPENCE_TLS_KEY, or TUPPENCE_BEHIND_PROXY=on.

# GraphiQL, by the hashes of package-lock.json. npm stays here.
FROM node:22-bookworm AS page
WORKDIR /tuppence/graph/page
COPY graph/page/ ./
RUN python3 prepare.py

# What it runs on, by the hashes of requirements/run.txt, and the project itself as a wheel.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/tuppence && python -m venv /opt/build
WORKDIR /tuppence
COPY requirements/ requirements/
RUN /opt/tuppence/bin/pip install --require-hashes --only-binary :all: --requirement requirements/run.txt
RUN /opt/build/bin/pip install --require-hashes --only-binary :all: --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY server/ server/
COPY graph/ graph/
COPY campaigns/ campaigns/
COPY access/ access/
COPY ledger/ ledger/
COPY events/ events/
COPY models/ models/
COPY --from=page /tuppence/graph/page/dist/ graph/page/dist/
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /opt/wheels . \
    && /opt/tuppence/bin/pip install --no-deps --no-index /opt/wheels/*.whl

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 tuppence \
    && useradd --uid 10001 --gid tuppence --no-create-home --home-dir /data --shell /usr/sbin/nologin tuppence \
    && install --directory --owner tuppence --group tuppence --mode 0700 /data
COPY --from=build /opt/tuppence /opt/tuppence
COPY deploy/health.py /opt/tuppence/health.py
ENV PATH=/opt/tuppence/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    TUPPENCE_DATABASE_URL=sqlite:////data/tuppence.db \
    TUPPENCE_HOST=0.0.0.0 \
    TUPPENCE_PORT=8000 \
    TUPPENCE_LOG_FORMAT=json
USER tuppence
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "/opt/tuppence/health.py"]
CMD ["tuppence", "serve"]
