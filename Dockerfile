# Convoke with the PostgreSQL server, so that one `docker run` works; with CONVOKE_DATABASE_URL the latter stays idle.
# Built from Debian's packages and crates.io alone.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
# Debian 13's own compiler is too old; its backports have a recent one. The mirror is the one the image has.
RUN set -eux; \
    if [ -f /etc/apt/sources.list.d/debian.sources ]; then \
        sed -i '0,/^Suites:.*/s//& trixie-backports/' /etc/apt/sources.list.d/debian.sources; \
    else \
        sed -n 's/^\(deb .*\) trixie main.*/\1 trixie-backports main/p' /etc/apt/sources.list | head -n 1 \
            > /etc/apt/sources.list.d/backports.list; \
    fi; \
    apt-get update; \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates gcc libc6-dev cargo/trixie-backports rustc/trixie-backports \
        libstd-rust-dev/trixie-backports
WORKDIR /src
# The dependencies first: they change less often than the program.
COPY Cargo.toml Cargo.lock ./
RUN set -eux; \
    mkdir -p src tests/it tests/bench/posting tests/bench/idle; \
    echo 'fn main() {}' | tee src/main.rs tests/it/main.rs tests/bench/posting/main.rs tests/bench/idle/main.rs; \
    touch src/lib.rs; \
    cargo build --release --locked; \
    rm -rf src tests
COPY config config
COPY migrations migrations
COPY src src
RUN set -eux; \
    mkdir -p tests/it tests/bench/posting tests/bench/idle; \
    echo 'fn main() {}' | tee tests/it/main.rs tests/bench/posting/main.rs tests/bench/idle/main.rs; \
    touch src/main.rs src/lib.rs; \
    cargo build --release --locked

FROM ${BASE}
RUN set -eux; \
    mkdir -p /etc/postgresql-common; \
    echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf; \
    apt-get update; \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates postgresql; \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /usr/share/doc /usr/share/man /usr/share/locale \
        /usr/lib/postgresql/*/lib/bitcode /var/log/*; \
    # Only PostgreSQL's compiler of expressions needs LLVM, half of the image; the embedded database runs without it.
    rm -f /usr/lib/postgresql/*/lib/llvmjit*.so /usr/lib/*/libLLVM*.so* /usr/lib/*/libz3.so*; \
    useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin convoke; \
    install -d -o convoke -g convoke -m 0700 /data
COPY --from=build /src/target/release/convoke /usr/local/bin/convoke
USER convoke
ENV CONVOKE_LISTEN=0.0.0.0:8080 CONVOKE_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# Asks the server itself, without a program that the image would need for nothing else.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["convoke"]
CMD ["serve"]
