# Worker, command and simulator in one image. Node 24 runs the TypeScript as it is: nothing is compiled.
FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Type declarations and source maps are for editors; licences stay.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -name '*.map' \) -delete

FROM node:24.21.0-bookworm-slim
# Metrics are asked for from outside the container. No signal opens a debugger, no report holds the environment, no shell keeps what was typed.
ENV NODE_ENV=production \
  METRICS_HOST=0.0.0.0 \
  NODE_OPTIONS="--disable-sigusr1 --report-exclude-env" \
  HISTFILE=/dev/null
WORKDIR /app
# Nothing is installed in a running container. An empty volume mounted at /run/simulator takes over its owner
# (docker-compose.yml: the simulator's public key).
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn-* \
  /usr/local/bin/yarn /usr/local/bin/yarnpkg \
  && mkdir /run/simulator && chown node:node /run/simulator
# All of it belongs to root: the process cannot change its own code.
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY bin bin
COPY src src
COPY workers workers
COPY producers producers
COPY simulator simulator
USER node
EXPOSE 9464
# Liveness only: an orchestrator that replaces unhealthy containers must not do so because Redis is away.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.METRICS_PORT ?? 9464}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/satyapan.js"]
CMD ["worker"]
