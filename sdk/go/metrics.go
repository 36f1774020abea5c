package midplane

// Metrics are the plugin's measurements. Labels are names and values; nil for none.
type Metrics struct{ ctx Context }

// Metrics are the plugin's measurements.
func (c Context) Metrics() Metrics {
	return Metrics{c}
}

// Count adds to a counter; the value is not below 0.
func (m Metrics) Count(name string, value float64, labels map[string]string) error {
	return m.measure("metrics.count", name, value, labels)
}

// Gauge sets a gauge.
func (m Metrics) Gauge(name string, value float64, labels map[string]string) error {
	return m.measure("metrics.gauge", name, value, labels)
}

// Observe adds to a histogram.
func (m Metrics) Observe(name string, value float64, labels map[string]string) error {
	return m.measure("metrics.observe", name, value, labels)
}

func (m Metrics) measure(function, name string, value float64, labels map[string]string) error {
	args := fields{"name": name, "value": value}
	if len(labels) > 0 {
		args["labels"] = labels
	}
	return m.ctx.do(function, args, nil)
}
