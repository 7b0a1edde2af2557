// next build leaves the browser's files beside the standalone server, not inside it; the server then answers 404 for them.
import { cpSync, existsSync, rmSync } from "node:fs";

const server = ".next/standalone";
rmSync(`${server}/.next/static`, { recursive: true, force: true });
cpSync(".next/static", `${server}/.next/static`, { recursive: true });
if (existsSync("public")) cpSync("public", `${server}/public`, { recursive: true });
