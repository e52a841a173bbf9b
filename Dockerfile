# Build:  docker build -t starling .
# Run:    docker run --rm --read-only --tmpfs /tmp -v starling:/data -p 8000:8000 starling
# With a database of your own:  ... -e DATABASE__URL=postgresql://user:password@host/database starling
# EXTRAS=fast leaves the embedded database out, for an image that is always given a DATABASE__URL.

FROM python:3.13-slim AS build
ARG EXTRAS=fast,embedded
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/starling
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY app app
COPY orm orm
COPY services services
COPY sql sql
RUN /opt/starling/bin/pip install -c requirements.lock ".[$EXTRAS]"

FROM python:3.13-slim
# A fixed number, so that the owner of a volume is the same for every build.
RUN groupadd --system --gid 10001 starling \
 && useradd --system --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin starling \
 && install -d -o starling -g starling -m 0700 /data
COPY --from=build /opt/starling /opt/starling
ENV PATH=/opt/starling/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    HTTP__HOST=0.0.0.0
WORKDIR /data
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# http.client rather than urllib: it knows nothing of proxies, which the environment may name.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["python", "-c", "import http.client, os, sys; check = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('HTTP__PORT', '8000')), timeout=2); check.request('GET', '/health/ready'); sys.exit(check.getresponse().status != 200)"]
CMD ["starling", "serve"]
