# The portal as one image; web, device pool, worker and beat are commands of it (deploy/compose.yaml).

FROM python:3.11-slim-bookworm AS build
COPY requirements.txt /build/requirements.txt
# Wheels only, each with its pinned hash: nothing is compiled or resolved, and nothing but what was locked gets in.
RUN python -m venv /venv \
 && /venv/bin/python -m pip install --disable-pip-version-check --no-cache-dir --no-compile \
    --no-deps --require-hashes --only-binary=:all: -r /build/requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin portal \
 && install -d -o portal -g portal -m 0700 /data
COPY --from=build /venv /venv
WORKDIR /srv/portal
COPY LICENSE manage.py ./
COPY deploy/is_healthy.py deploy/is_healthy.py
COPY portal portal
COPY accounts accounts
COPY devices devices
COPY licenses licenses
COPY orders orders
COPY support support
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data STATIC_ROOT=/srv/static
# Collecting static files reads no secret and no database, but the settings want to see each: these values live
# for this one command and are in no layer.
RUN python -m compileall -q /venv/lib /srv/portal \
 && PORTAL_ID=https://build.invalid PORTAL_ORIGINS=https://build.invalid DATABASE_URL=sqlite:////nowhere \
    SECRET_KEY=only-while-the-image-is-being-built ACTIVATION_CODE_PEPPER=only-while-the-image-is-being-built \
    SIGNING_KEYS_PASSPHRASE=only-while-the-image-is-being-built \
    DELIVERY_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    SECOND_FACTOR_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    MAIL_HOST=build.invalid MAIL_FROM=portal@build.invalid \
    python manage.py collectstatic --no-input --verbosity 0
USER portal
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "deploy/is_healthy.py"]
# WSGI over HTTP/1 only; a worker that dies is replaced, one that hangs at the end is killed. The container's
# runtime ends the whole group, so no worker goes on answering without its parent.
CMD ["granian", "--interface=wsgi", "--host=0.0.0.0", "--port=8000", "--http=1", "--no-ws", "--workers=2", \
     "--blocking-threads=4", "--respawn-failed-workers", "--workers-kill-timeout=30", "portal.wsgi:application"]
