# Build: `make image`. Run: compose.yaml, which also shows the limits that it works under.

FROM python:3.11-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1
# Without pip of its own, which would only travel along.
RUN python -m venv --without-pip /opt/venv
WORKDIR /src

# Dependencies change seldom, so they are a layer of their own; each is checked by its hash.
COPY requirements.lock ./
RUN pip --python /opt/venv/bin/python install --require-hashes -r requirements.lock

# What nothing here reads: the names of languages in all languages (30 MB; of babel only the parser
# of codes is imported), and sources of what is compiled.
RUN find /opt/venv/lib -path '*/babel/locale-data/*.dat' ! -name root.dat ! -name en.dat -delete \
    && find /opt/venv/lib -path '*/site-packages/*' -type f \
        \( -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.pxd' -o -name '*.pyx' \) -delete

# The project's wheel is built by the backend that the development lock pins.
COPY requirements-dev.lock ./
RUN awk '/^[a-z]/ { on = /^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/ } on' \
        requirements-dev.lock > build.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r build.lock

COPY pyproject.toml README.md LICENSE ./
COPY alerts alerts
COPY migrations migrations
COPY monitor monitor
# Bytecode is never checked against its source: nothing writes to the image once it is built.
RUN /opt/build/bin/hatchling build --target wheel --directory /tmp/wheel \
    && pip --python /opt/venv/bin/python install --no-deps /tmp/wheel/*.whl \
    && /opt/venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib


FROM python:3.11-slim

LABEL org.opencontainers.image.title="monitor" \
      org.opencontainers.image.description="Self-hosted media monitoring: feeds to stories to Slack" \
      org.opencontainers.image.licenses="MIT"

RUN groupadd --gid 10001 monitor \
    && useradd --uid 10001 --gid monitor --no-create-home --home-dir /data \
        --shell /usr/sbin/nologin monitor \
    && install --directory --owner monitor --group monitor /data

COPY --from=build /opt/venv /opt/venv
# A folder of its own, because the service watches the folder of its configuration for edits.
COPY feeds.toml /config/feeds.toml

# Inside a container every interface means this container's; publish the port with care.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MONITOR_CONFIG=/config/feeds.toml \
    MONITOR_DATABASE_URL=sqlite:////data/monitor.db \
    MONITOR_WEB_HOST=0.0.0.0 \
    MONITOR_WEB_PORT=8080

USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["monitor", "healthcheck"]
ENTRYPOINT ["monitor"]
CMD ["run"]
