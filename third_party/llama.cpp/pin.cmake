# What requirements.txt unpacks to. Everything else about llama.cpp lives in src/backend/llama/.
set(LLAMA_CPP_PIN_NAME "llama_cpp_python-0.3.36")
set(LLAMA_CPP_PIN_SUBDIR "vendor/llama.cpp")
set(LLAMA_CPP_PIN_VERSION "0.5.0-dev")
set(LLAMA_CPP_PIN_COMMIT "0c1e57098bba43ac29e6e3b677cdceebdd22334f")
