# Images: broker, relay and standalone. Build all with `npm run images`, or one with `docker build --target relay .`.
# See docs/images.md, also for builds without access to a registry.

# Base image for the build. Requires Node.js 24 and npm in /usr/local.
ARG BUILD_BASE=docker.io/library/node:24-bookworm-slim
# Base image at run time. Requires glibc, libstdc++ and CA certificates. Node.js is copied from BUILD_BASE.
ARG RUN_BASE=gcr.io/distroless/cc-debian12

FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY services/shared/package.json services/shared/
COPY services/broker/package.json services/broker/
COPY services/relay/package.json services/relay/
COPY services/standalone/package.json services/standalone/
# Package registry. The lockfile contains no registry URLs, only checksums.
ARG NPM_REGISTRY=https://registry.npmjs.org/
RUN npm ci --ignore-scripts --registry="$NPM_REGISTRY"
COPY . .
RUN npm run build
# Modification time of all files, so that builds of the same commit are identical.
ARG SOURCE_DATE_EPOCH=0
RUN node k8s/images/stage-images.ts /out "$SOURCE_DATE_EPOCH"

FROM ${RUN_BASE} AS base
COPY --from=build /out/node /usr/local/bin/node
ENV NODE_ENV=production
WORKDIR /app
# Numeric, so that Kubernetes can verify runAsNonRoot.
USER 10001:10001
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/node"]
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.vendor="Porthole" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"

FROM base AS broker
LABEL org.opencontainers.image.title="porthole-broker" \
      org.opencontainers.image.description="Signs users in, authorizes consoles and serves the web pages"
COPY --from=build /out/broker/ /app/
CMD ["services/broker/dist/main.js"]

FROM base AS relay
LABEL org.opencontainers.image.title="porthole-relay" \
      org.opencontainers.image.description="Connects browsers to consoles on Proxmox VE"
COPY --from=build /out/relay/ /app/
# A small young generation saves 40 KiB per console. See docs/performance.md.
CMD ["--max-semi-space-size=4", "services/relay/dist/main.js"]

FROM base AS standalone
LABEL org.opencontainers.image.title="porthole-standalone" \
      org.opencontainers.image.description="Broker and relay in one process, without Redis"
COPY --from=build /out/standalone/ /app/
CMD ["--max-semi-space-size=4", "services/standalone/dist/main.js"]
