package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/datadogreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/zipkinreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	metric "go.opentelemetry.io/otel/metric/noop"
	trace "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
	"go.yaml.in/yaml/v3"
)

// How often a port is chosen: between the choice and its use another program may take it.
const tries = 10

type config struct {
	Receivers map[string]map[string]any
	Exporters struct {
		File struct{ Path string }
	}
}

func readConfig(path string) (*config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	config := &config{}
	if err := yaml.Unmarshal(text, config); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(config.Receivers) == 0 {
		return nil, fmt.Errorf("%s: expected receivers", path)
	}
	return config, nil
}

// What the receivers may ask of the program around them.
type host struct{}

func (host) GetExtensions() map[component.ID]component.Component { return nil }

func start(ctx context.Context, name string, settings map[string]any, out *output) (receiver.Traces, error) {
	factory := factoryOf(name)
	if factory == nil {
		return nil, errors.New("expected otlp, zipkin or datadog")
	}
	place := settings
	if protocols, ok := settings["protocols"].(map[string]any); ok {
		place, _ = protocols["http"].(map[string]any)
	}
	wanted, _ := place["endpoint"].(string)
	if wanted == "" {
		return nil, errors.New("expected an endpoint, HOST:PORT, of HTTP")
	}
	for try := 1; ; try++ {
		endpoint, err := choosePort(wanted)
		if err != nil {
			return nil, err
		}
		place["endpoint"] = endpoint
		running, err := startAt(ctx, factory, settings, name, out)
		if errors.Is(err, syscall.EADDRINUSE) && endpoint != wanted && try < tries {
			continue
		}
		if err == nil {
			out.listening(name, endpoint)
		}
		return running, err
	}
}

func factoryOf(name string) receiver.Factory {
	switch name {
	case "otlp":
		return otlpreceiver.NewFactory()
	case "zipkin":
		return zipkinreceiver.NewFactory()
	case "datadog":
		return datadogreceiver.NewFactory()
	}
	return nil
}

func startAt(ctx context.Context, factory receiver.Factory, settings map[string]any, name string, out *output) (receiver.Traces, error) {
	config := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(settings).Unmarshal(config); err != nil {
		return nil, err
	}
	logs := zap.NewProductionConfig()
	logs.Level = zap.NewAtomicLevelAt(zap.WarnLevel)
	logger, err := logs.Build()
	if err != nil {
		return nil, err
	}
	next, err := consumer.NewTraces(func(_ context.Context, traces ptrace.Traces) error { return out.write(name, traces) })
	if err != nil {
		return nil, err
	}
	telemetry := component.TelemetrySettings{
		Logger:         logger,
		TracerProvider: trace.NewTracerProvider(),
		MeterProvider:  metric.NewMeterProvider(),
		Resource:       pcommon.NewResource(),
	}
	id := component.NewID(factory.Type())
	running, err := factory.CreateTraces(ctx, receiver.Settings{ID: id, TelemetrySettings: telemetry}, config, next)
	if err != nil {
		return nil, err
	}
	return running, running.Start(ctx, host{})
}

// The address with a free port instead of 0: receivers do not tell which one they got.
func choosePort(endpoint string) (string, error) {
	name, port, err := net.SplitHostPort(endpoint)
	if err != nil || port != "0" {
		return endpoint, err
	}
	listener, err := net.Listen("tcp", endpoint)
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err = net.SplitHostPort(listener.Addr().String())
	return net.JoinHostPort(name, port), err
}
