# Lightbox in a container.
#
#   docker build -t lightbox .
#   docker run --rm -p 127.0.0.1:8501:8501 -v lightbox:/data lightbox
#
# Your own models and cohorts: add -v "$PWD/models:/models:ro" -e LIGHTBOX_MODELS_DIR=/models, and the same with cohorts and
# LIGHTBOX_COHORTS_DIR.
#
# Which torch is installed is a build argument. Left empty, pip takes the package index's build, which on Linux x86-64 is the
# CUDA one. TORCH_INDEX_URL points pip at another index, e.g. PyTorch's own CPU wheels for an image several GB smaller.
ARG PYTHON_VERSION=3.11

# the package alone, without what it depends on
FROM python:${PYTHON_VERSION}-slim AS package
WORKDIR /source
COPY . .
RUN pip install --no-cache-dir --no-deps --target /package .

FROM python:${PYTHON_VERSION}-slim
ARG TORCH_INDEX_URL=""

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    OMP_WAIT_POLICY=PASSIVE \
    PYTHONPATH=/app \
    PATH=/app/bin:$PATH \
    LIGHTBOX_HOST=0.0.0.0 \
    LIGHTBOX_PORT=8501 \
    LIGHTBOX_STORE_PATH=/data

RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin lightbox \
    && install -d -m 0700 -o lightbox -g lightbox /data

WORKDIR /app
COPY requirements.txt ./
RUN if [ -n "$TORCH_INDEX_URL" ]; then \
      pip install --index-url "$TORCH_INDEX_URL" "$(grep '^torch==' requirements.txt)"; \
    fi \
    && pip install -r requirements.txt
COPY --from=package /package ./

USER 10001
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"LIGHTBOX_PORT\"]}/_stcore/health', timeout=4)"]
CMD ["lightbox", "serve"]
