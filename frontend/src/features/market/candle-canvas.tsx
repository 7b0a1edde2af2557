"use client";

import {
  CandlestickSeries,
  createChart,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  type UTCTimestamp,
} from "lightweight-charts";
import { useTheme } from "next-themes";
import { useEffect, useRef } from "react";
import type { Candle } from "@/lib/types";

interface Drawing {
  chart: IChartApi;
  prices: ISeriesApi<"Candlestick">;
  volumes: ISeriesApi<"Histogram">;
}

/** Candles and volume. The library wants floats; they only place pixels here and never come back as amounts. */
export default function CandleCanvas({ candles }: { candles: readonly Candle[] }) {
  const box = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing>(null);
  const { resolvedTheme } = useTheme();

  useEffect(() => {
    if (!box.current) return;
    const chart = createChart(box.current, {
      autoSize: true,
      timeScale: { timeVisible: true, borderVisible: false },
      rightPriceScale: { borderVisible: false },
    });
    const prices = chart.addSeries(CandlestickSeries, { borderVisible: false });
    const volumes = chart.addSeries(HistogramSeries, {
      priceScaleId: "",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    volumes.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    drawing.current = { chart, prices, volumes };
    return () => {
      drawing.current = null;
      chart.remove();
    };
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of theme is the reason to paint again
  useEffect(() => {
    // The theme's class is on <html> only after this render's effects of the provider; read the colours a frame later.
    const frame = requestAnimationFrame(() => drawing.current && paint(drawing.current));
    return () => cancelAnimationFrame(frame);
  }, [resolvedTheme]);

  useEffect(() => {
    const current = drawing.current;
    if (!current) return;
    const bars = candles.map((candle) => ({ ...pixels(candle), time: seconds(candle.time) }));
    current.prices.setData(bars);
    current.volumes.setData(bars.map(({ time, volume }) => ({ time, value: volume })));
  }, [candles]);

  return (
    <figure
      ref={box}
      className="absolute inset-0"
      aria-label="Candle chart of the price; the table of trades holds the same data"
    />
  );
}

function pixels({ open, high, low, close, volume }: Candle) {
  return { open: Number(open), high: Number(high), low: Number(low), close: Number(close), volume: Number(volume) };
}

function seconds(time: string): UTCTimestamp {
  return Math.floor(Date.parse(time) / 1_000) as UTCTimestamp;
}

function paint({ chart, prices, volumes }: Drawing) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const [up, down, line] = [colour("--up"), colour("--down"), colour("--line")];
  chart.applyOptions({
    layout: {
      background: { color: colour("--panel") },
      textColor: colour("--muted"),
      fontFamily: style.getPropertyValue("font-family"),
      attributionLogo: true,
    },
    grid: { vertLines: { color: line }, horzLines: { color: line } },
  });
  prices.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
  volumes.applyOptions({ color: line });
}
