// socket.io with its PostgreSQL adapter: the body of POST /publish goes to every socket of both processes.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { createAdapter } from "@socket.io/postgres-adapter";
import pg from "pg";

const [port, url] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url, max: 5 });
await pool.query(`CREATE TABLE IF NOT EXISTS socket_io_attachments (
    id bigserial UNIQUE, created_at timestamptz DEFAULT NOW(), payload bytea)`).catch((error) => {
  if (!/duplicate key/.test(error.message)) throw error; // both processes make it at once
});

const server = createServer((request, response) => {
  const end = (status) => response.writeHead(status, { "Content-Length": 0 }).end();
  if (request.method !== "POST") return request.url === "/" ? end(200) : undefined;
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    io.emit("message", JSON.parse(Buffer.concat(parts).toString()));
    end(201);
  });
});
const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false });
io.adapter(createAdapter(pool));
server.listen(Number(port), "127.0.0.1");
