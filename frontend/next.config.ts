import type { NextConfig } from "next";

const config: NextConfig = {
  output: "standalone",
  // Without this the tracer climbs to the repository root and nests the server under its name.
  outputFileTracingRoot: import.meta.dirname,
  turbopack: { root: import.meta.dirname },
  agentRules: false,
  poweredByHeader: false,
  reactStrictMode: true,
  productionBrowserSourceMaps: false,
  images: { unoptimized: true },
};

export default config;
