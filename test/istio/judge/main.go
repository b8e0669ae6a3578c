// Command judge asks Istio's own code about what Meshscript makes.
//
//	judge fetch HOST/REPOSITORY:TAG     fetches an image as pilot-agent does; prints digest and hash as JSON
//	judge validate < resources.yaml     validates resources as istiod's webhook does; prints a JSON line for each
//
// Exit code: 0 accepted, 1 refused, 2 wrong usage.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/log"
	"istio.io/istio/pkg/wasm"
)

type fetched struct {
	Digest string `json:"digest,omitempty"`
	Sha256 string `json:"sha256,omitempty"`
	Size   int    `json:"size,omitempty"`
	Error  string `json:"error,omitempty"`
}

type verdict struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Error   string `json:"error,omitempty"`
	Warning string `json:"warning,omitempty"`
}

func main() {
	options := log.DefaultOptions()
	options.OutputPaths = []string{"stderr"}
	options.SetDefaultOutputLevel("default", log.ErrorLevel)
	if err := log.Configure(options); err != nil {
		panic(err)
	}
	switch {
	case len(os.Args) == 3 && os.Args[1] == "fetch":
		exit(fetch(os.Args[2]))
	case len(os.Args) == 2 && os.Args[1] == "validate":
		exit(validate(os.Stdin))
	default:
		fmt.Fprintln(os.Stderr, "usage: judge fetch IMAGE | judge validate")
		os.Exit(2)
	}
}

func exit(accepted bool) {
	if !accepted {
		os.Exit(1)
	}
}

// fetch takes credentials from DOCKER_CONFIG and certificates from SSL_CERT_FILE, as the agent does.
func fetch(image string) bool {
	var result fetched
	binary, digest, err := wasm.NewImageFetcher(context.Background(), wasm.ImageFetcherOption{}).PrepareFetch(image)
	if err == nil {
		result.Digest = "sha256:" + digest
		var bytes []byte
		if bytes, err = binary(); err == nil {
			sum := sha256.Sum256(bytes)
			result.Sha256, result.Size = hex.EncodeToString(sum[:]), len(bytes)
		}
	}
	if err != nil {
		result.Error = err.Error()
	}
	show(result)
	return err == nil
}

func validate(in io.Reader) bool {
	text, err := io.ReadAll(in)
	if err != nil {
		panic(err)
	}
	configs, others, err := crd.ParseInputs(string(text))
	if err != nil {
		show(verdict{Error: err.Error()})
		return false
	}
	accepted := len(configs) > 0
	for _, other := range others {
		show(verdict{Kind: other.Kind, Name: other.Name, Error: "not a kind of Istio's"})
		accepted = false
	}
	for _, config := range configs {
		result := verdict{Kind: config.GroupVersionKind.Kind, Name: config.Namespace + "/" + config.Name}
		schema, known := collections.Pilot.FindByGroupVersionAliasesKind(config.GroupVersionKind)
		if !known {
			result.Error = "not a kind of Istio's"
		} else {
			warning, err := schema.ValidateConfig(config)
			if warning != nil {
				result.Warning = warning.Error()
			}
			if err != nil {
				result.Error = err.Error()
			}
		}
		accepted = accepted && result.Error == ""
		show(result)
	}
	return accepted
}

func show(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}
