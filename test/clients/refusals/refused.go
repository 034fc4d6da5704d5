// Sends a request with a body a number of times, and prints the status of each answer, or that it was lost.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

func main() {
	method, url, headers := os.Args[1], os.Args[2], os.Args[5:]
	size, _ := strconv.Atoi(os.Args[3])
	times, _ := strconv.Atoi(os.Args[4])
	body := bytes.Repeat([]byte("x"), size)
	for range times {
		fmt.Println(send(method, url, body, headers))
	}
}

func send(method, url string, body []byte, headers []string) string {
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err != nil {
		return err.Error()
	}
	return strconv.Itoa(response.StatusCode)
}
