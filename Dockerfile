# Porthole's images: `npm run images`, or `docker build --target relay .` (broker, relay, standalone).
# docs/images.md says what is in them and how to build where no registry can be reached.

# What builds: Node 24 and npm at /usr/local.
ARG BUILD_BASE=docker.io/library/node:24-bookworm-slim
# What runs: glibc, libstdc++ and certificates are enough. Node comes from BUILD_BASE.
ARG RUN_BASE=gcr.io/distroless/cc-debian12

FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY services/shared/package.json services/shared/
COPY services/broker/package.json services/broker/
COPY services/relay/package.json services/relay/
COPY services/standalone/package.json services/standalone/
# A registry other than npm's; the lockfile names none and checks what comes from it.
ARG NPM_REGISTRY=https://registry.npmjs.org/
RUN npm ci --ignore-scripts --registry="$NPM_REGISTRY"
COPY . .
RUN npm run build
# All files get this time, so the same commit gives the same layers.
ARG SOURCE_DATE_EPOCH=0
RUN node k8s/images/stage-main.ts /out "$SOURCE_DATE_EPOCH"

FROM ${RUN_BASE} AS base
COPY --from=build /out/node /usr/local/bin/node
ENV NODE_ENV=production
WORKDIR /app
# A number, so that Kubernetes sees it isn't root. Nothing is written: the root file system may be read-only.
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
      org.opencontainers.image.description="Signs people in, decides who may open which console, serves the pages"
COPY --from=build /out/broker/ /app/
CMD ["services/broker/dist/main.js"]

FROM base AS relay
LABEL org.opencontainers.image.title="porthole-relay" \
      org.opencontainers.image.description="Opens consoles at Proxmox and carries them"
COPY --from=build /out/relay/ /app/
# A small young generation saves 40 KiB of each console; see docs/performance.md.
CMD ["--max-semi-space-size=4", "services/relay/dist/main.js"]

FROM base AS standalone
LABEL org.opencontainers.image.title="porthole-standalone" \
      org.opencontainers.image.description="Porthole in one process, without Redis and Kubernetes"
COPY --from=build /out/standalone/ /app/
CMD ["--max-semi-space-size=4", "services/standalone/dist/main.js"]
