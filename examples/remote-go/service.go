package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "keywords/pluginv1"
)

// refused is what the service refuses on purpose, with a code for programs.
type refused struct{ code, message string }

func (r *refused) Error() string { return r.message }

func told(err error) *pb.Error {
	var r *refused
	if errors.As(err, &r) {
		return &pb.Error{Code: r.code, Message: r.message}
	}
	return &pb.Error{Code: "internal_error", Message: err.Error()}
}

// session is one generation of the plugin in one host.
type session struct {
	index    *index
	requests chan *pb.HostRequest
}

// log writes to the host's log; a line is left out rather than waited for.
func (s *session) log(call uint64, level, message string) {
	args, _ := json.Marshal(map[string]string{"level": level, "message": message})
	select {
	case s.requests <- &pb.HostRequest{Call: call, Function: "log", Args: string(args)}:
	default:
	}
}

type service struct {
	pb.UnimplementedPluginServer
	mu       sync.Mutex
	sessions map[string]*session
}

func word(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}

// session is that of a request, with its call's number.
func (s *service) session(ctx context.Context) (*session, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := word(ctx, "session")
	one := s.sessions[name]
	if one == nil {
		one = &session{index: newIndex(10_000), requests: make(chan *pb.HostRequest, 256)}
		s.sessions[name] = one
	}
	call, _ := strconv.ParseUint(word(ctx, "call-id"), 10, 64)
	return one, call
}

func (s *service) GetInfo(context.Context, *pb.GetInfoRequest) (*pb.PluginInfo, error) {
	return &pb.PluginInfo{Id: "keywords", Name: "Keywords", Version: "1.0.0", Description: "Finds documents by their words"}, nil
}

func (s *service) GetCapabilities(context.Context, *pb.GetCapabilitiesRequest) (*pb.Capabilities, error) {
	return &pb.Capabilities{Capabilities: []string{"host"}, Actions: []*pb.Action{
		{Name: "add", Description: "{id, text}: keeps a document", Idempotent: true},
		{Name: "remove", Description: "{id}: forgets it"},
		{Name: "search", Description: "{words, limit?}: the best documents first", Idempotent: true},
		{Name: "dump", Description: "A line of JSON for each document", Idempotent: true, Stream: true},
	}}, nil
}

func (s *service) Initialize(ctx context.Context, request *pb.InitializeRequest) (*pb.InitializeReply, error) {
	var config struct{ Documents int }
	if err := json.Unmarshal([]byte(request.Config), &config); err != nil {
		return &pb.InitializeReply{Message: fmt.Sprintf("the configuration is not as it should be: %v", err)}, nil
	}
	one, _ := s.session(ctx)
	if config.Documents > 0 {
		one.index.most = config.Documents
	}
	return &pb.InitializeReply{Success: true}, nil
}

func (s *service) Shutdown(ctx context.Context, _ *pb.ShutdownRequest) (*pb.ShutdownReply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, word(ctx, "session"))
	return &pb.ShutdownReply{}, nil
}

func (s *service) HealthCheck(ctx context.Context, _ *pb.HealthCheckRequest) (*pb.HealthReport, error) {
	one, _ := s.session(ctx)
	one.index.mu.RLock()
	defer one.index.mu.RUnlock()
	return &pb.HealthReport{Status: pb.HealthReport_SERVING, Details: fmt.Sprintf(`{"documents":%d}`, len(one.index.texts))}, nil
}

func (s *service) Call(ctx context.Context, request *pb.CallRequest) (*pb.CallReply, error) {
	var output []byte
	err := s.run(ctx, request.Action, request.Input, func(chunk []byte) error {
		output = append(output, chunk...)
		return nil
	})
	if err != nil {
		return &pb.CallReply{Error: told(err)}, nil
	}
	return &pb.CallReply{Output: output}, nil
}

func (s *service) CallStream(stream grpc.BidiStreamingServer[pb.CallPart, pb.ReplyPart]) error {
	var action string
	var input []byte
	for {
		part, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if action == "" {
			action = part.Action
		}
		if len(input)+len(part.Input) > 64<<20 {
			return status.Error(codes.ResourceExhausted, "the input has more than 64 MiB")
		}
		input = append(input, part.Input...)
	}
	err := s.run(stream.Context(), action, input, func(chunk []byte) error {
		return stream.Send(&pb.ReplyPart{Output: chunk})
	})
	if err != nil {
		return stream.Send(&pb.ReplyPart{Error: told(err)})
	}
	return nil
}

func (s *service) run(ctx context.Context, action string, input []byte, reply func([]byte) error) error {
	one, call := s.session(ctx)
	var wanted struct {
		ID, Text, Words string
		Limit           int
	}
	if len(input) > 0 {
		if err := json.Unmarshal(input, &wanted); err != nil {
			return &refused{"invalid_input", "the input is not as it should be: " + err.Error()}
		}
	}
	answer := func(value any) error {
		bytes, err := json.Marshal(value)
		if err != nil {
			return err
		}
		return reply(bytes)
	}
	switch action {
	case "add":
		if wanted.ID == "" {
			return &refused{"invalid_input", "the document has no id"}
		}
		count, err := one.index.add(wanted.ID, wanted.Text)
		if err != nil {
			one.log(call, "warn", "a document was refused: "+err.Error())
			return &refused{"index_full", fmt.Sprintf("%v: it keeps %d documents", err, count)}
		}
		return answer(map[string]int{"documents": count})
	case "remove":
		return answer(map[string]bool{"removed": one.index.remove(wanted.ID)})
	case "search":
		if wanted.Limit <= 0 {
			wanted.Limit = 10
		}
		return answer(one.index.search(wanted.Words, wanted.Limit))
	case "dump":
		return one.index.each(func(id, text string) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			line, err := json.Marshal(map[string]string{"id": id, "text": text})
			if err != nil {
				return err
			}
			return reply(append(line, '\n'))
		})
	}
	return &refused{"action_not_found", "there is no action " + action}
}

// Host sends what the session asks of its host. It asks for nothing but log lines, which nobody answers.
func (s *service) Host(stream grpc.BidiStreamingServer[pb.HostReply, pb.HostRequest]) error {
	one, _ := s.session(stream.Context())
	for {
		select {
		case <-stream.Context().Done():
			return nil
		case request := <-one.requests:
			if err := stream.Send(request); err != nil {
				return err
			}
		}
	}
}
