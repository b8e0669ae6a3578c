// The receivers of spans of the OpenTelemetry Collector, without the rest of it.
//
//	collector --config FILE
//
// FILE is one of the Collector's own, in YAML or JSON; of it the receivers (otlp, zipkin, datadog) count, and the path of the
// exporter `file`. A receiver whose port is 0 gets a free one. Where each listens is told on standard output, in a line
// {"receiver", "endpoint"}; behind that every span that comes is a line. With the exporter `file`, what comes together is instead
// a line of that file, as the Collector writes it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"go.opentelemetry.io/collector/featuregate"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("collector", version())
		return
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "collector:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 3 || os.Args[1] != "--config" {
		return errors.New("expected --config FILE, or --version")
	}
	// Without it the receiver of Datadog's spans knows half of a trace's id only.
	if err := featuregate.GlobalRegistry().Set("receiver.datadogreceiver.Enable128BitTraceID", true); err != nil {
		return err
	}
	config, err := readConfig(os.Args[2])
	if err != nil {
		return err
	}
	out, err := newOutput(config.Exporters.File.Path)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for name, settings := range config.Receivers {
		receiver, err := start(ctx, name, settings, out)
		if err != nil {
			return fmt.Errorf("receiver %s: %w", name, err)
		}
		defer func() { _ = receiver.Shutdown(context.Background()) }()
	}
	<-ctx.Done()
	return nil
}

// Of the receivers.
func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "go.opentelemetry.io/collector/receiver/otlpreceiver" {
			return module.Version
		}
	}
	return "unknown"
}
