package midplane

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Request is what [Context.Fetch] sends.
type Request struct {
	// Method is GET where it is empty.
	Method string `json:"method,omitempty"`
	// URL is the whole address.
	URL string `json:"url"`
	// Headers are the request's.
	Headers map[string]string `json:"headers,omitempty"`
	// Body is what is sent, at most 64 MiB.
	Body []byte `json:"-"`
}

// Response is what came back from a web address.
type Response struct {
	// Status is the HTTP status, such as 200.
	Status int `json:"status"`
	// Headers have names in lower case; one that came more than once is joined with ", ".
	Headers map[string]string `json:"headers"`
	// Body is what came.
	Body []byte `json:"-"`
}

// Text is the body as text; what is not UTF-8 becomes U+FFFD.
func (r Response) Text() string {
	return strings.ToValidUTF8(string(r.Body), "\uFFFD")
}

// JSON reads the body into a value. An empty one leaves it as it is; one that does not fit is invalid_reply.
func (r Response) JSON(into any) error {
	if len(r.Body) == 0 {
		return nil
	}
	return fit("a web address", r.Body, into)
}

// Fetch gives what a web address answers (http.fetch), whatever its status.
func (c Context) Fetch(request Request) (Response, error) {
	reply, err := c.Host("http.fetch", request, request.Body)
	if err != nil {
		return Response{}, err
	}
	head, body, _ := bytes.Cut(reply, []byte{'\n'})
	response := Response{Body: body}
	if err := json.Unmarshal(head, &response); err != nil || response.Status == 0 {
		return Response{}, Errorf("protocol_error", "the host's answer to http.fetch has no status: %.200s", head)
	}
	return response, nil
}
