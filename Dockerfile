# docker build -t bubbleloc .
# docker run --rm -v "$PWD:/data" bubbleloc localize input=rf.npy sampling_rate_hz=62.5e6 output=bubbles.csv
FROM python:3.11-slim
COPY . /source
RUN pip install --no-cache-dir -c /source/constraints.txt torch --index-url https://download.pytorch.org/whl/cpu \
    && pip install --no-cache-dir -c /source/constraints.txt /source \
    && rm -r /source
ENV NUMBA_CACHE_DIR=/tmp/numba
WORKDIR /data
ENTRYPOINT ["bubbleloc"]
CMD ["--help"]
