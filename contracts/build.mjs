// Compiles src/**/*.sol with the pinned npm solc into out/<Contract>.json and compares with artifacts.lock.json.
// Usage: node build.mjs           compile; write out/; fail when the bytecode differs from the lock
//        node build.mjs --check   compile and compare only, write nothing
//        node build.mjs --lock    compile, write out/ and the lock
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const lockPath = join(root, 'artifacts.lock.json')
const sha256 = (text) => createHash('sha256').update(text).digest('hex')

// Metadata is left out of the bytecode, so that it depends on the code and on nothing else.
const SETTINGS = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: 'paris',
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
}

function readSources() {
  // With forward slashes on every system: the names are part of what is hashed.
  const names = readdirSync(join(root, 'src'), { recursive: true })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.sol'))
    .sort()
  return Object.fromEntries(names.map((name) => [name, { content: readFileSync(join(root, 'src', name), 'utf8') }]))
}

function compile(sources) {
  const solc = createRequire(import.meta.url)('solc')
  const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings: SETTINGS })))
  const problems = output.errors ?? []
  for (const problem of problems) console.error(problem.formattedMessage)
  if (problems.length > 0) process.exit(1)
  return { version: solc.version(), contracts: output.contracts }
}

function artifacts({ contracts }, sources) {
  const found = {}
  for (const [file, byName] of Object.entries(contracts)) {
    for (const [name, { abi, evm }] of Object.entries(byName)) {
      // Abstract contracts have no code; libraries of internal functions have code but nothing to call.
      if (evm.bytecode.object === '' || abi.length === 0) continue
      found[name] = {
        contractName: name,
        sourceName: file,
        sourcesSha256: sha256(JSON.stringify(sources)),
        abi,
        bytecode: `0x${evm.bytecode.object}`,
        deployedBytecode: `0x${evm.deployedBytecode.object}`,
      }
    }
  }
  return found
}

function write(path, value) {
  writeFileSync(`${path}.tmp`, `${JSON.stringify(value, null, 2)}\n`)
  renameSync(`${path}.tmp`, path)
}

const [mode = ''] = process.argv.slice(2)
const sources = readSources()
const compiled = compile(sources)
const built = artifacts(compiled, sources)
const lock = {
  solc: compiled.version,
  sourcesSha256: sha256(JSON.stringify(sources)),
  bytecodeSha256: Object.fromEntries(Object.keys(built).sort().map((name) => [name, sha256(built[name].bytecode)])),
}

if (mode === '--lock') {
  write(lockPath, lock)
} else if (JSON.stringify(JSON.parse(readFileSync(lockPath, 'utf8'))) !== JSON.stringify(lock)) {
  console.error('The compiled bytecode differs from artifacts.lock.json. If the change is meant: node build.mjs --lock')
  process.exit(1)
}
if (mode !== '--check') {
  mkdirSync(join(root, 'out'), { recursive: true })
  for (const [name, artifact] of Object.entries(built)) write(join(root, 'out', `${name}.json`), artifact)
}
console.log(`${Object.keys(built).sort().join(', ')}: ${compiled.version}`)
