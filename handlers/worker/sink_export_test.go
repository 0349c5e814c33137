package worker

import "os"

// Writing has a file written by somebody else, such as a disk that is full.
func (t *FileTarget) Writing(write func(f *os.File, p []byte) (int, error)) { t.write = write }
