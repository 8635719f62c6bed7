# The tools, a static busybox for the pipeline's shell, CA certificates and time zones; nothing
# else. Runs as uid 65532 with a read-only root.
FROM rust:1.95-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends busybox-static ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# glibc linked in: the tools then need no loader and no libraries.
RUN RUSTFLAGS='-C target-feature=+crt-static' \
    cargo build --locked --workspace --bins --release --target "$(rustc -vV | sed -n 's/^host: //p')" \
 && mkdir -p /root-fs/bin /root-fs/etc/ssl/certs /root-fs/usr/share /root-fs/tmp /root-fs/reports \
 && for tool in pc-discover pc-helm pc-digest pc-updates pc-verify pc-assemble pc-store; do \
      cp target/*/release/"$tool" /root-fs/bin/; \
    done \
 && cp /bin/busybox /root-fs/bin/busybox && ln -s busybox /root-fs/bin/sh \
 && cp scripts/collect /root-fs/bin/collect \
 && cp /etc/ssl/certs/ca-certificates.crt /root-fs/etc/ssl/certs/ \
 && cp -r /usr/share/zoneinfo /root-fs/usr/share/zoneinfo \
 && printf 'nonroot:x:65532:65532::/:/bin/sh\n' > /root-fs/etc/passwd \
 && printf 'nonroot:x:65532:\n' > /root-fs/etc/group \
 && chmod 1777 /root-fs/tmp && chown 65532:65532 /root-fs/reports

FROM scratch
COPY --from=build /root-fs/ /
ENV PATH=/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
LABEL org.opencontainers.image.title="provenance-collector" \
      org.opencontainers.image.description="What runs in a cluster, where it came from, and whether that is proven" \
      org.opencontainers.image.licenses="BSD-3-Clause"
CMD ["/bin/collect"]
