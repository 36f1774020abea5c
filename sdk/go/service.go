package midplane

import (
	"encoding/json"
	"time"
)

// Service is an interface that plugins provide, and which of its versions will do.
type Service struct {
	ctx           Context
	name, fitting string
}

// Service reaches plugins by what they provide: an interface by its name, in the versions of a range such as ^1; an
// empty range is any.
func (c Context) Service(name, versions string) Service {
	return Service{c, name, versions}
}

// Find gives the providers, as the host tells them.
func (s Service) Find() ([]json.RawMessage, error) {
	var found []json.RawMessage
	err := s.ctx.read("service.find", s.args(), nil, &found)
	return found, err
}

// Call calls an action of the provider that the host chooses; its errors are those of [Context.Call].
func (s Service) Call(action string, input []byte) ([]byte, error) {
	args := s.args()
	args["action"] = action
	return s.ctx.Host("service.call", args, input)
}

// CallWithin is [Service.Call] with a deadline of its own, rounded up to milliseconds.
func (s Service) CallWithin(deadline time.Duration, action string, input []byte) ([]byte, error) {
	args := s.args()
	args["action"], args["deadline_ms"] = action, milliseconds(deadline)
	return s.ctx.Host("service.call", args, input)
}

// CallJSON is [Service.Call] with JSON both ways, as [Context.CallJSON].
func (s Service) CallJSON(action string, in, out any) error {
	return asJSON(s.name, in, out, func(input []byte) ([]byte, error) { return s.Call(action, input) })
}

func (s Service) args() fields {
	args := fields{"interface": s.name}
	if s.fitting != "" {
		args["range"] = s.fitting
	}
	return args
}
