package main

import (
	"encoding/json"
	"io"
	"os"
	"strconv"
	"sync"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// A span, as a line of standard output. Nanoseconds are text: JavaScript's numbers are too small for them.
type span struct {
	Receiver     string         `json:"receiver"`
	TraceID      string         `json:"traceId"`
	SpanID       string         `json:"spanId"`
	ParentSpanID string         `json:"parentSpanId"`
	TraceState   string         `json:"traceState"`
	Flags        uint32         `json:"flags"`
	Name         string         `json:"name"`
	Kind         string         `json:"kind"`
	Service      string         `json:"service"`
	Start        string         `json:"start"`
	End          string         `json:"end"`
	Status       string         `json:"status"`
	Attributes   map[string]any `json:"attributes"`
	Resource     map[string]any `json:"resource"`
}

// Where a receiver listens.
type place struct {
	Receiver string `json:"receiver"`
	Endpoint string `json:"endpoint"`
}

// Where spans go: to standard output, or to a file in OTLP's JSON.
type output struct {
	lock  sync.Mutex
	lines *json.Encoder
	file  io.Writer
}

func newOutput(path string) (*output, error) {
	out := &output{lines: json.NewEncoder(os.Stdout)}
	if path == "" {
		return out, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	out.file = file
	return out, err
}

func (out *output) listening(receiver, endpoint string) {
	out.lock.Lock()
	defer out.lock.Unlock()
	_ = out.lines.Encode(place{receiver, endpoint})
}

func (out *output) write(receiver string, traces ptrace.Traces) error {
	out.lock.Lock()
	defer out.lock.Unlock()
	if out.file != nil {
		line, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
		if err == nil {
			_, err = out.file.Write(append(line, '\n'))
		}
		return err
	}
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, each := range scope.Spans().All() {
				if err := out.lines.Encode(flatten(receiver, resource, each)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func flatten(receiver string, resource ptrace.ResourceSpans, each ptrace.Span) span {
	attributes := resource.Resource().Attributes()
	service, _ := attributes.Get("service.name")
	return span{
		Receiver:     receiver,
		TraceID:      each.TraceID().String(),
		SpanID:       each.SpanID().String(),
		ParentSpanID: each.ParentSpanID().String(),
		TraceState:   each.TraceState().AsRaw(),
		Flags:        each.Flags(),
		Name:         each.Name(),
		Kind:         each.Kind().String(),
		Service:      service.AsString(),
		Start:        strconv.FormatUint(uint64(each.StartTimestamp()), 10),
		End:          strconv.FormatUint(uint64(each.EndTimestamp()), 10),
		Status:       each.Status().Code().String(),
		Attributes:   each.Attributes().AsRaw(),
		Resource:     attributes.AsRaw(),
	}
}
