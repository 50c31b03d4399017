# The relay in a container: docker build -t talking-doll .     (compose.yaml runs it behind Caddy)
#
# Nothing secret belongs in here: keys come from the environment of the container. What the relay
# keeps is in /data, the only place that it writes to.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
# cloud: small, needs a key. embedded: hears and speaks by itself, 1 GB more.
ARG FLAVOUR=cloud
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY firmware firmware
COPY relay relay
COPY tools tools
# The same release as on a server of its own.
RUN python -m tools.upgrade . --base /opt/doll --flavour "$FLAVOUR"

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /data doll \
    && install --directory --mode=700 --owner=doll --group=doll /data
COPY --from=build /opt/doll /opt/doll
ENV PATH=/opt/doll/current/bin:$PATH \
    HOME=/data \
    XDG_CACHE_HOME=/data/cache \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONMALLOC=malloc \
    MALLOC_ARENA_MAX=1 \
    DOLL_RELAY__HOST=0.0.0.0 \
    DOLL_RELAY__DATA=/data/relay \
    DOLL_UPDATES__FOLDER=/data/updates \
    DOLL_RELAY__LOG_FORMAT=json
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
# Embedded models take their time on a small machine.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-Ic", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["doll"]
CMD ["relay"]
