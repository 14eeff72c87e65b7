// Copyright (c) The palier.aws authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// A small back end in the place of the one that the fleet of inventories/clefcloud runs. GET /health answers when it is
// well, GET / says which version runs and what it was told of its database. It needs no package, so that it builds
// without a registry. HOST and PORT say where it listens.
"use strict";

const http = require("node:http");
const os = require("node:os");

const VERSION = "1.0.0";

/** What it knows of itself; of the password only whether there is one. */
function about() {
  return {
    version: VERSION,
    environment: process.env.NODE_ENV || "development",
    node: process.version,
    user: os.userInfo().username,
    database: {
      engine: process.env.DB_ENGINE || "",
      host: process.env.DB_HOST || "",
      password: Boolean(process.env.DB_PASSWORD),
    },
  };
}

const pages = { "/": about, "/health": () => ({ status: "ok" }) };

const server = http.createServer((request, response) => {
  const page = pages[request.url];
  const status = page ? 200 : 404;
  console.log(`${new Date().toISOString()} ${request.method} ${request.url} ${status}`);
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(page ? page() : { error: "there is no such page" }));
});

const host = process.env.HOST || "127.0.0.1";
const port = Number(process.env.PORT || 3000);
server.listen(port, host, () => console.log(`listening on ${host}:${port}`));
// What is under way is answered before it ends.
process.on("SIGTERM", () => server.close(() => process.exit(0)));
