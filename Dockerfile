# The program as one static binary on a small base that has a shell's wget for
# the health check.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /flowledger ./cmd/flowledger && mkdir -m 0700 /data

FROM busybox:stable
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /flowledger /usr/local/bin/flowledger
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
VOLUME /data
EXPOSE 9000
ENV FLOWLEDGER_LISTEN=0.0.0.0:9000 FLOWLEDGER_DATA=/data
ENTRYPOINT ["flowledger"]
CMD ["serve"]
